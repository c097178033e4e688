/** @file The guided audit from the first page: begun, stopped with its state saved, resumed, and its engine killed on the way. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Results } from '../../evals/contract/results.ts'
import { changedByStoring, strayQuantities } from '../unit/document/quantities.ts'
import { goToEvaluate, sharedWorkbench } from './workbench.ts'

const bench = sharedWorkbench()

/** Minutes where the machine is free; it may not be. */
const LONG_MS = 2_400_000
const TESTBED = { testbed: 'random-features', axes: ['features=10,40'], seeds: ['0'] }
/** A process starts, a model is opened and 300 prompts are read. */
const START_MS = 90_000

describe('the guided audit', () => {
  test(
    'is begun, stopped and resumed',
    async () => {
      const { page, inspect } = bench
      await page.getByRole('button', { name: 'Run the guided audit' }).click()
      await page.getByRole('progressbar').first().waitFor({ timeout: START_MS })
      await page.getByRole('log').waitFor({ timeout: START_MS })
      await inspect('guided-running')
      await page.getByRole('button', { name: /Stop and save/u }).click()
      const resume = page.getByRole('button', { name: /Resume/u })
      await resume.waitFor({ timeout: 120_000 })
      await page.getByText('stopped').first().waitFor()
      await inspect('guided-stopped')
      await resume.click()
      await page.getByRole('button', { name: /Stop and save/u }).waitFor({ timeout: 60_000 })
    },
    LONG_MS,
  )

  test(
    'stands in the queue with its progress; two jobs wait behind it, change places by key, and leave',
    async () => {
      const { page, go, ask, inspect } = bench
      await goToEvaluate(bench)
      await page.getByRole('button', { name: 'Start the evaluation' }).click()
      await page
        .getByText(/place 1 in the queue/u)
        .first()
        .waitFor()
      await ask('job.start', { kind: 'sweep', config: TESTBED })
      await go('/jobs')
      const titles = page.getByRole('article').getByRole('heading')
      const kinds = async () =>
        (await titles.allInnerTexts()).map((text) => text.split(' ')[0]!.toLowerCase())
      await expect.poll(kinds).toEqual(['audit', 'evaluation', 'sweep'])
      const sooner = page.getByRole('button', { name: /Sooner/u })
      const later = page.getByRole('button', { name: /Later/u })
      expect([await sooner.first().isDisabled(), await later.last().isDisabled()]).toEqual([
        true,
        true,
      ])
      await inspect('jobs')
      await sooner.last().focus()
      await page.keyboard.press('Enter')
      await expect.poll(kinds).toEqual(['audit', 'sweep', 'evaluation'])
      // Nothing is before it, so what can still be done has the focus.
      await expect
        .poll(() => page.evaluate(() => document.activeElement?.textContent))
        .toMatch(/Later\s*: sweep/iu)
      await page.keyboard.press('Enter')
      await expect.poll(() => titles.last().innerText()).toMatch(/^sweep/iu)
      for (let left = 2; left > 0; left--) {
        await page
          .getByRole('button', { name: /Leave the queue/u })
          .first()
          .click()
        await expect
          .poll(() => page.getByRole('button', { name: /Leave the queue/u }).count())
          .toBe(left - 1)
      }
    },
    LONG_MS,
  )

  test(
    'ends with the bad verdict that it is known for',
    async () => {
      const { page, go, inspect } = bench
      await go('/jobs')
      await page.getByRole('link', { name: 'Verdict' }).waitFor({ timeout: LONG_MS })
      await page.getByRole('link', { name: 'Verdict' }).click()
      await page.getByRole('region', { name: /FAIL/u }).waitFor()
      await inspect('guided-verdict')
    },
    LONG_MS,
  )

  test('its quantities are the same strings in results.json, report, window, Markdown and terminal', async () => {
    const { page, ask } = bench
    const runId = page.url().split('/').at(-1)!
    const asked = { runId, what: 'results' }
    const { files } = await ask<{ files: { path: string }[] }>('run.export', asked)
    const results = Results.parse(JSON.parse(readFileSync(files[0]!.path, 'utf8')))
    expect(strayQuantities(results)).toEqual([])
    expect(changedByStoring(results)).toEqual([])
  })
})

test('the console had nothing to complain about', () => {
  expect(bench.complaints).toEqual([])
})
