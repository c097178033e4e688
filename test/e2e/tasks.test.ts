/** @file A task in the window: started from the form, its pictures with their table, and listed with its run. */
import { expect, test } from 'vitest'
import { sharedWorkbench } from './workbench.ts'

const bench = sharedWorkbench()
const TASK_MS = 240_000

test(
  'a task is started from the form, shows scenes with boxes beside a table, and is listed',
  async () => {
    const { page, go, inspect, complaints } = bench
    page.setDefaultTimeout(TASK_MS)
    await go('/tasks')
    await page.getByRole('button', { name: 'Questions on words in a scene' }).click()
    await page.getByLabel('Ranks', { exact: true }).fill('2')
    await page.getByLabel('Steps', { exact: true }).fill('5')
    await page.getByLabel('Limit', { exact: true }).fill('12')
    await page.getByText(/^More settings: training/u).click()
    await page.getByLabel('Base steps (steps)', { exact: true }).fill('20')
    await inspect('tasks')
    await page.getByRole('button', { name: 'Start the task' }).click()
    await page.getByRole('link', { name: 'Verdict' }).click()
    await page.getByRole('heading', { name: 'Task: Questions on words in a scene' }).waitFor()
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
