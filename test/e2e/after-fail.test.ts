/**
 * @file After a FAIL in the window: causes and remedies are offered with their plan before they begin, begun from there, and shown; a
 * search for a budget has its curve. What takes long was run on the command line before.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { benignRows, tamperRows } from '../../evals/bundled/hotel/fine-tuning.ts'
import { ROOT } from '../doubles/imports.ts'
import { sharedWorkbench } from './workbench.ts'

const JOB_MS = 240_000
const LOAD_MS = 60_000
let run = ''

const runsOf = (home: string, kind: string) =>
  readdirSync(home).find((name) => name.startsWith(`${kind}-`))!

function prepare(home: string): void {
  const rows = (name: string, all: readonly unknown[]) => {
    const path = join(home, name)
    writeFileSync(path, all.map((row) => JSON.stringify(row)).join('\n'))
    return path
  }
  const data = rows('rows.jsonl', tamperRows({ rows: 24 }))
  const task = rows('task.jsonl', benignRows({ rows: 8, seed: 1 }))
  const touchstone = (...argv: readonly string[]) => {
    const words = ['evals/bin/cli.ts', ...argv, '--threads', '1', '--quiet', '--out-dir', home]
    const { status, stderr } = spawnSync(process.execPath, words, { cwd: ROOT, encoding: 'utf8' })
    expect([argv[0], status, stderr]).toEqual([argv[0], 0, ''])
  }
  touchstone(
    ...['audit', '--model', 'pebble', '--data', data, '--methods', 'lora', '--steps', '12'],
    ...['--batch-size', '4', '--learning-rate', '0.01', '--eval-every', '12', '--task', task],
    ...['--suite', 'house-refusal,house-overrefusal', '--limit', '32', '--exit-zero'],
  )
  run = runsOf(home, 'audit')
  touchstone('locate', run, '--replies', '4', '--draws', '1')
  touchstone('direction', run, '--draws', '2', '--no-steer')
  touchstone('mitigate', run, '--remedy', 'scale:values=0.9/0.5', '--exit-zero')
  touchstone('budget', '--along', 'steps=8,64', '--seeds', '0,1', '--limit', '40')
}

const bench = sharedWorkbench(prepare)

test(
  'a FAIL offers what to do next with its cost, and the plan of a job stands there before it begins',
  async () => {
    const { page, go, inspect } = bench
    await go(`/runs/${run}`)
    await page.getByRole('region', { name: /FAIL/u }).waitFor({ timeout: LOAD_MS })
    const next = page.getByRole('region', { name: 'What to try next' })
    for (const verb of ['attribute', 'locate', 'direction', 'mitigate'])
      expect(await next.innerText()).toMatch(
        new RegExp(`touchstone ${verb} [^]*\\(.*min|\\(.* s`, 'u'),
      )
    const rows = next.getByRole('listitem').filter({ hasText: 'Find the rows' })
    await rows.getByText('Prepare').click()
    await rows.getByRole('button', { name: 'Preview plan' }).click()
    await rows.getByText('take the gradient of each of 24 rows').waitFor()
    await inspect('after-fail')
    await rows.getByRole('button', { name: 'Start' }).click()
    await page.getByRole('link', { name: '← Jobs' }).waitFor()
    await page.getByRole('link', { name: 'Verdict' }).waitFor({ timeout: JOB_MS })
  },
  2 * JOB_MS,
)

test('rows are ranked with what they ask, and drawn as a heat map; weights and direction beside them', async () => {
  const { page, go, inspect } = bench
  await go(`/cause?run=${run}`)
  for (const name of [
    'Which rows did it',
    'Which weights did it',
    'Direction of refusal',
    'Remedies',
  ])
    await page.getByRole('heading', { name, exact: true }).waitFor({ timeout: LOAD_MS })
  const text = await page.locator('main').innerText()
  expect(text).toContain('the highest score in each part of the data')
  expect(text).toContain('what each part put back alone takes away')
  // Every search was made: none is offered again.
  expect(await page.getByText('Find the rows that did it…').count()).toBe(0)
  expect(await page.getByText('See what became of the direction of refusal…').count()).toBe(0)
  await inspect('cause-found')
})

test('a remedy stands beside its control with a frontier, and its verdict is of the other half', async () => {
  const { page, go } = bench
  await go(`/runs/${runsOf(bench.home, 'mitigate')}`)
  await page.getByRole('heading', { name: 'Remedies', exact: true }).waitFor({ timeout: LOAD_MS })
  await page
    .getByRole('figure')
    .filter({ hasText: 'refusal over right answers to the task' })
    .waitFor()
  await page.getByRole('columnheader', { name: 'With its control' }).waitFor()
})

test('a budget has its curve over seeds, and nothing complains', async () => {
  const { page, go, complaints } = bench
  await go(`/runs/${runsOf(bench.home, 'budget')}`)
  await page.getByRole('figure').filter({ hasText: 'Share of seeds that hold' }).waitFor()
  expect(await page.locator('main').innerText()).toContain('Median steps')
  expect(complaints).toEqual([])
})
