/** @file Tasks in the window: one started from the form, and of each the picture with its table. */
import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { TASKS } from '../../evals/audit/tasks/registry.ts'
import { ROOT } from '../doubles/imports.ts'
import { sharedWorkbench } from './workbench.ts'

const bench = sharedWorkbench((home) => {
  for (const { name } of OTHERS) {
    const few = ['--methods', 'lora', '--ranks', '2', '--steps', '3', '--base-steps', '3']
    const rest = ['--limit', '8', '--no-spectra', '--no-match-loss', '--exit-zero']
    const argv = ['evals/bin/cli.ts', 'task', name, ...few, ...rest, '--out-dir', home]
    const { status, stderr } = spawnSync(process.execPath, argv, { cwd: ROOT, encoding: 'utf8' })
    expect(status, stderr).toBe(0)
  }
})
const TASK_MS = 240_000
/** A map is tinted cells. */
const PICTURE = '.heat, [role=img]'

/** Started from the form. */
const STARTED = TASKS.find(({ name }) => name === 'scene-text')!
const OTHERS = TASKS.filter((task) => task !== STARTED)

describe.each(OTHERS)('$name', ({ name, title }) => {
  test('shows a picture beside a table', async () => {
    const { page, go, inspect, complaints } = bench
    page.setDefaultTimeout(TASK_MS)
    await go('/tasks')
    await page
      .getByRole('link', { name: new RegExp(`^Task ${name}\\b`, 'u') })
      .first()
      .click()
    const section = page.getByRole('region', { name: `Task: ${title}`, exact: true })
    await section.waitFor()
    const picture = section.locator(PICTURE).first()
    await picture.waitFor()
    await picture.scrollIntoViewIfNeeded()
    expect(await section.locator('table:not(.heat)').count()).toBeGreaterThan(0)
    await inspect(`task-${name}`)
    expect(complaints).toEqual([])
  })
})

test(
  'a task is started from the form, shows scenes with boxes beside a table, and is listed',
  async () => {
    const { page, go, inspect, complaints } = bench
    page.setDefaultTimeout(TASK_MS)
    await go('/tasks')
    await page.getByRole('button', { name: STARTED.title }).click()
    await page.getByLabel('Ranks', { exact: true }).fill('2')
    await page.getByLabel('Steps', { exact: true }).fill('5')
    await page.getByLabel('Limit', { exact: true }).fill('12')
    await page.getByText(/^More settings: training/u).click()
    await page.getByLabel('Base steps (steps)', { exact: true }).fill('20')
    await inspect('tasks')
    await page.getByRole('button', { name: 'Start the task' }).click()
    await page.getByRole('link', { name: 'Verdict' }).click()
    await page.getByRole('heading', { name: `Task: ${STARTED.title}` }).waitFor()
    const scene = page.getByRole('img', { name: /^Picture 1: Which/u }).first()
    await scene.scrollIntoViewIfNeeded()
    expect(await scene.locator('rect').count()).toBeGreaterThan(0)
    await page.getByRole('columnheader', { name: 'Most answered' }).first().waitFor()
    await inspect('task-run')
    await go('/tasks')
    await page.getByRole('link', { name: 'Task scene-text' }).waitFor()
    expect(complaints).toEqual([])
  },
  3 * TASK_MS,
)
