/**
 * @file Three journeys by Tab, Shift+Tab, Enter, arrows and shortcuts alone; the focus is never set: from a FAIL to the flips of its
 * worst category, labels of a remembered rater, and an engine that was started again.
 */
import type { Locator } from 'playwright-core'
import { afterAll, expect, test } from 'vitest'
import { plannedAudit } from '../doubles/rows/audit-rows.ts'
import { storeAudit } from '../doubles/runs/stored-audit.ts'
import { serve, sharedWorkbench, type Served } from './workbench.ts'

const bench = sharedWorkbench((home) => storeAudit(plannedAudit(), home))
let second: Served | undefined
afterAll(() => {
  second?.process.kill('SIGTERM')
})

const MOST_TABS = 80

async function press(...keys: readonly string[]): Promise<void> {
  for (const key of keys) await bench.page.keyboard.press(key)
}

/** Presses Tab until it has the focus. */
async function tabTo(wanted: Locator, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  await wanted.waitFor()
  const isFocused = () => wanted.evaluate((element) => document.activeElement === element)
  for (let tabs = 0; tabs < MOST_TABS; tabs++) {
    if (await isFocused()) return
    await press(key)
  }
  throw new Error(`${MOST_TABS} times ${key} did not lead to ${String(wanted)}`)
}

const theRun = () => bench.page.getByRole('link', { name: 'A made-up audit' })

test('FAIL in the list, its verdict, the worst category, its flips; and back to the filters', async () => {
  const { page, go } = bench
  await go('/')
  await press('?')
  const sheet = page.getByRole('dialog', { name: 'Keyboard' })
  await sheet.getByText('Settings & storage').waitFor()
  await press('Escape')
  await sheet.waitFor({ state: 'detached' })
  await press('g', 'r')
  await page.getByRole('heading', { name: 'Runs', exact: true }).waitFor()
  await theRun().waitFor()
  await press('/')
  await page.keyboard.type('made-up')
  await expect.poll(() => page.url()).toContain('find=made-up')
  await tabTo(theRun())
  await press('Enter')
  await page.getByRole('region', { name: /FAIL/u }).waitFor()
  const map = page.getByRole('region', { name: /^Lost by category/u }).first()
  await tabTo(map.getByRole('link').first())
  await press('Enter')
  const grid = page.getByRole('grid', { name: 'Prompts before and after' })
  await grid.getByRole('row').nth(1).waitFor()
  expect(await grid.getByRole('row').nth(1).innerText()).toContain('flip')
  await tabTo(grid)
  await press('ArrowDown')
  const chosen = grid.getByRole('row', { selected: true })
  await expect.poll(() => chosen.getAttribute('aria-rowindex')).toBe('3')
  await tabTo(page.getByLabel('Flips only'), 'Shift+Tab')
  await press('Space')
  await expect.poll(() => page.url()).toContain('flips=all')
})

test('replies are drawn and labelled; after a reload the rater is known, looks again and says otherwise', async () => {
  const { page } = bench
  await press('g', 'b')
  await page.getByRole('heading', { name: 'Benchmarks', exact: true }).waitFor()
  const tabs = page.getByRole('tablist', { name: 'What to look at' })
  await tabTo(tabs.getByRole('tab', { name: 'Replies' }))
  const label = tabs.getByRole('tab', { name: 'Label' })
  await press('ArrowRight', 'ArrowRight')
  await tabTo(label)
  await press('Enter')
  await tabTo(page.getByLabel('Replies to draw'))
  await press('Control+a')
  await page.keyboard.type('6')
  await tabTo(page.getByRole('button', { name: 'Draw' }))
  await press('Enter')
  const drawn = page.getByText(/\d+ replies are drawn/u)
  await drawn.waitFor()
  // Of each judge's outcomes some, so it may be one more than was asked for.
  const all = Number.parseInt(await drawn.innerText())
  expect(all).toBeGreaterThan(5)
  await tabTo(page.getByLabel('Who is labelling'))
  await page.keyboard.type('first rater')
  await press('Enter')
  for (let left = all; left > 0; left--) {
    await page.getByText(`${left} left of ${all}`).waitFor()
    await press('3')
  }
  const done = page.getByText('Everything that was drawn is labelled by first rater')
  await done.waitFor()
  await page.reload()
  await done.waitFor()
  await tabTo(page.getByRole('button', { name: 'Look at them again' }))
  await press('Enter')
  await page.getByText(`${all} left of ${all}`).waitFor()
  await press('1')
  await page.getByText(`${all - 1} left of ${all}`).waitFor()
  await press('Backspace')
  const refuses = page.getByRole('button', { name: /It refuses/u })
  await expect.poll(() => refuses.getAttribute('aria-pressed')).toBe('true')
})

test('the engine ends, is started again, and the same tab goes on where it was', async () => {
  const { page, address, home } = bench
  await press('g', 'r')
  await theRun().waitFor()
  await press('/')
  await page.keyboard.type('audit')
  await expect.poll(() => page.url()).toContain('find=audit')
  bench.process.kill('SIGKILL')
  // What was being asked says that it was not answered too.
  const lost = page.getByRole('alert').filter({ hasText: 'start it again' })
  await lost.waitFor()
  await tabTo(lost.getByRole('link', { name: 'Jobs' }), 'Shift+Tab')
  second = await serve(home, Number(new URL(address).port))
  // What is typed into the address bar.
  await page.goto(second.address)
  await theRun().waitFor()
  await expect.poll(() => page.url()).toContain('find=audit')
  await tabTo(theRun())
  await press('Enter')
  await page.getByRole('region', { name: /FAIL/u }).waitFor()
})
