/** @file Prompts in contexts: the context of flips is a filter of its own, in the address, and a category of the map leads to it. */
import { expect, test } from 'vitest'
import { rowsInContext } from '../doubles/rows/context-rows.ts'
import { storeAudit, STORED_RUN } from '../doubles/runs/stored-audit.ts'
import { sharedWorkbench } from './workbench.ts'

const bench = sharedWorkbench((home) => storeAudit(rowsInContext(), home))

/** Of 60 refusals at night and none of the prompts as they are. */
const LOST = 60

test('flips are filtered by context, and the address keeps the choice over a reload', async () => {
  const { page, go, inspect } = bench
  await go('/benchmarks?show=pairs&benchmark=house-refusal&arm=lora')
  const found = page.getByRole('status').filter({ hasText: /flips;/u })
  await found.filter({ hasText: '0 flips; 0 shown' }).waitFor()
  const context = page.getByLabel('Context', { exact: true })
  const options = ['any', 'prompts as they are', 'at night']
  expect(await context.locator('option').allInnerTexts()).toEqual(options)
  await context.selectOption('at night')
  await found.filter({ hasText: `${LOST} flips; ${LOST} shown` }).waitFor()
  expect(page.url()).toContain('context=night')
  await page.reload()
  await found.filter({ hasText: `${LOST} flips; ${LOST} shown` }).waitFor()
  expect(await context.inputValue()).toBe('night')
  await context.selectOption('any')
  expect(page.url()).toContain('context=any')
  await page.getByLabel('Flips only').uncheck()
  await found.filter({ hasText: `${LOST} flips; 192 shown` }).waitFor()
  const grid = page.getByRole('grid', { name: 'Prompts before and after' })
  expect(await grid.getByRole('row').nth(1).innerText()).toContain('at night')
  await inspect('pairs-context')
  await context.selectOption('prompts as they are')
  await found.filter({ hasText: '0 flips; 96 shown' }).waitFor()
  expect(page.url()).not.toContain('context=')
})

test('the benchmark is named once, and its replies have the filter too', async () => {
  const { page, go } = bench
  await go('/benchmarks?benchmark=house-refusal&arm=lora&context=night')
  const names = await page.getByLabel('Benchmark', { exact: true }).locator('option').count()
  expect(names).toBe(2)
  const context = page.getByLabel('Context', { exact: true })
  expect(await context.inputValue()).toBe('night')
  expect(await context.locator('option').allInnerTexts()).not.toContain('any')
  await page.getByLabel('Outcome').selectOption('compliance')
  await page.getByText('62 replies').waitFor()
  await context.selectOption('prompts as they are')
  await page.getByText('2 replies', { exact: true }).waitFor()
})

test('a category in a context leads from the verdict to its flips', async () => {
  const { page, go } = bench
  await go(`/runs/${STORED_RUN}`)
  await page.getByText('House refusal: categories × contexts').click()
  const row = page.getByRole('row').filter({ hasText: 'at night' }).filter({ hasText: '→' })
  await row.getByRole('link').first().click()
  await page.getByRole('grid', { name: 'Prompts before and after' }).waitFor()
  expect(await page.getByLabel('Context', { exact: true }).inputValue()).toBe('night')
  expect(await page.getByLabel('Category').inputValue()).not.toBe('')
})

test('the console had nothing to complain about', () => {
  expect(bench.complaints).toEqual([])
})
