/**
 * @file Every view over a stored audit at 1440, 1024 and 800 pixels, light and dark: nothing lies beside the page, nothing is cut,
 * each says what it is, and axe finds no violation. Then its filters, two windows, and an engine that is started again.
 */
import { AxeBuilder } from '@axe-core/playwright'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { textOf } from '../doubles/imports.ts'
import { plannedAudit } from '../doubles/rows/audit-rows.ts'
import { storeAudit, STORED_RUN } from '../doubles/runs/stored-audit.ts'
import { inColours, SCREENSHOTS, serve, sharedWorkbench, type Served } from './workbench.ts'

const bench = sharedWorkbench((home) => storeAudit(plannedAudit(), home))
let second: Served | undefined
afterAll(() => {
  second?.process.kill('SIGTERM')
})

const VIEWS = [
  ['/', 'Is this fine-tune safe to ship?'],
  ['/models', 'Models'],
  ['/data', 'Data'],
  ['/fine-tune', 'Fine-tune'],
  ['/sweeps', 'Sweeps'],
  ['/tasks', 'Tasks'],
  ['/runs', 'Runs'],
  ['/benchmarks', 'Benchmarks'],
  ['/benchmarks?show=pairs&arm=lora&seed=1', 'Benchmarks'],
  ['/benchmarks?show=label', 'Benchmarks'],
  ['/cause', 'Cause'],
  ['/cause?measure=intruders&matrix=0/q_proj', 'Cause'],
  ['/talk', 'Chat'],
  ['/case', 'Check a signed case'],
  ['/jobs', 'Jobs'],
  ['/house', 'Settings & storage'],
  ['/sql', 'SQL'],
  [`/runs/${STORED_RUN}`, 'A made-up audit'],
  [`/jobs/${STORED_RUN}`, 'A made-up audit'],
  [`/runs/${STORED_RUN}/with/${STORED_RUN}`, 'A made-up audit → A made-up audit'],
] as const
const WIDTHS = [1440, 1024, 800] as const

/** In the page: how far it reaches beyond its width, and texts of which a part cannot be reached, or ends beside what is seen. */
function measured() {
  const main = document.querySelector('main')!
  const last = main.lastElementChild!.getBoundingClientRect().bottom
  const end = main.getBoundingClientRect().top + main.scrollHeight - main.scrollTop
  const hidden = (element: Element) => {
    const style = getComputedStyle(element)
    return style.overflowX === 'hidden' || style.overflowX === 'clip'
  }
  const cut = [...main.querySelectorAll('button, h1, h2, h3, label, p, th, td, dt, dd, li')]
    .filter((element) => !element.closest('[role=grid], .hidden-text'))
    .filter((element) => hidden(element) && element.scrollWidth > element.clientWidth + 1)
    .filter((element) => getComputedStyle(element).textOverflow !== 'ellipsis')
  const besideCaptions = (within: Element) =>
    [...within.querySelectorAll('.scroll > table > caption')].filter((caption) => {
      const range = document.createRange()
      range.selectNodeContents(caption)
      const seen = caption.closest('.scroll')!.getBoundingClientRect()
      return range.getBoundingClientRect().right > seen.right + 1
    })
  // A number apart from its unit, or from the sign before it, may stand on the next line.
  const loose: string[] = []
  const walker = document.createTreeWalker(main, NodeFilter.SHOW_TEXT)
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (getComputedStyle(node.parentElement!).whiteSpace === 'nowrap') continue
    if (!node.parentElement!.closest('code, pre, option, textarea, .said, [role=grid]'))
      loose.push(...(/[^ ]* *(?:\d %|\p{L} [=<≤≥] [−\d])/u.exec(node.textContent ?? '') ?? []))
  }
  return {
    loose,
    beside: document.documentElement.scrollWidth - innerWidth,
    besideMain: main.scrollWidth - main.clientWidth,
    // Of a page that scrolls, what lies below its end.
    blank: main.scrollHeight > main.clientHeight ? Math.round(end - last) : 0,
    below: document.documentElement.scrollHeight - innerHeight,
    cut: [...cut, ...besideCaptions(main)].map(({ outerHTML }) => outerHTML.slice(0, 120)),
    headings: [...document.querySelectorAll('main h1')].map((each) => each.textContent.trim()),
  }
}
/** The first look at a run reads all of it. */
const READ = { timeout: 60_000 }
/** The padding of the page, and the room for the outline of what has the focus. */
const MOST_BLANK = 48

async function noViolations(name: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page: bench.page }).analyze()
  expect(
    violations.map(({ id, nodes }) => `${id}: ${nodes[0]!.html}`),
    name,
  ).toEqual([])
}

test('no view is left out', () => {
  const seen = VIEWS.map(([hash]) => hash.split('?')[0])
  const paths = textOf('renderer/navigation.ts').matchAll(/path: '([^']+)'/gu)
  const routes = Array.from(paths, ([, path]) => path!.replaceAll(/:\w+/gu, STORED_RUN))
  expect(routes.length).toBeGreaterThan(15)
  expect(routes.filter((path) => !seen.includes(path))).toEqual([])
})

describe.each(VIEWS)('%s', (hash, heading) => {
  test('says what it is, and lies within 1440, 1024 and 800 pixels', async () => {
    const { page, go } = bench
    await go(hash)
    await page.getByRole('heading', { level: 1, name: heading, exact: true }).waitFor()
    await page.waitForLoadState('networkidle').catch(() => undefined)
    await expect
      .poll(() => page.getByText(/^(?:Reading|Computing|Counting|Pairing)/u).count(), READ)
      .toBe(0)
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 900 })
      for (const colours of ['light', 'dark'] as const) {
        await inColours(page, colours)
        const { blank, ...found } = await page.evaluate(measured)
        const file = `view${hash.replaceAll(/\W+/gu, '-')}-${width}-${colours}.png`
        await page.screenshot({ path: join(SCREENSHOTS, file) })
        expect(found, `${hash} at ${width}, ${colours}`).toEqual({
          ...{ beside: 0, besideMain: 0, below: 0, cut: [], loose: [], headings: [heading] },
        })
        expect(blank, `${hash} at ${width}`).toBeLessThanOrEqual(MOST_BLANK)
        await noViolations(`${hash} at ${width}, ${colours}`)
      }
    }
    await page.setViewportSize({ width: 1440, height: 900 })
    await inColours(page, 'light')
  })
})

test('the worst category’s flips are two clicks from the verdict', async () => {
  const { page, go } = bench
  await go(`/runs/${STORED_RUN}`)
  const map = page.getByRole('region', { name: /^Lost by category/u }).first()
  await map.getByRole('link').first().click()
  const grid = page.getByRole('grid', { name: 'Prompts before and after' })
  await grid.getByRole('row').nth(1).waitFor()
  expect(await grid.getByRole('row').nth(1).innerText()).toContain('flip')
})

test('no page calls a FAIL done', async () => {
  const { page, go } = bench
  for (const hash of ['/', '/runs', '/jobs', `/jobs/${STORED_RUN}`]) {
    await go(hash)
    const told = (outcome: RegExp) => page.locator('main').getByText(outcome)
    await told(/^\S FAIL$/u)
      .first()
      .waitFor(READ)
    expect(await told(/^\S done$/u).count(), hash).toBe(0)
  }
})

test('a marked step of the training leads to the flips at it', async () => {
  const { page, go } = bench
  await go(`/runs/${STORED_RUN}`)
  const along = page.getByRole('region', { name: 'Along the training' })
  const mark = along.getByRole('link', { name: /^(?:falls|last safe): / }).first()
  const step = new URL((await mark.getAttribute('href'))!, 'http://x').hash
  expect(step).toMatch(/step=\d+/u)
  await mark.click()
  await page.getByRole('grid', { name: 'Prompts before and after' }).waitFor()
  expect(page.url()).toContain(/step=\d+/u.exec(step)![0])
})

test('the gate editor says what it would decide while one types, and what is wrong in words', async () => {
  const { page, go } = bench
  await go(`/runs/${STORED_RUN}`)
  const editor = page.getByRole('region', { name: 'The gate' })
  const margin = editor.getByRole('textbox', { name: /Margin/u }).first()
  await margin.fill('none')
  await editor.getByText('The margin has to be a number above 0 and below 100.').waitFor()
  await margin.fill('5')
  await editor.getByText(/^would FAIL by \d+ prompts? of 96/u).waitFor()
})

test('the filters of flips stand in the address, and a reload keeps them', async () => {
  const { page, go } = bench
  await go('/benchmarks?show=pairs&arm=lora&seed=1')
  const status = page.getByRole('status').filter({ hasText: /flips;/u })
  await status.waitFor()
  await page.getByLabel('Flips only').uncheck()
  await page.getByLabel('Outcome after').selectOption('refusal')
  await page.getByLabel('In the prompt').fill('no prompt has these words')
  await page.keyboard.press('Enter')
  await page.getByText('No prompt fits these filters.').waitFor()
  for (const part of ['flips=all', 'outcome=refusal', 'find=no']) expect(page.url()).toContain(part)
  await page.reload()
  await page.getByText('No prompt fits these filters.').waitFor()
  expect(await page.getByLabel('Flips only').isChecked()).toBe(false)
})

test('what one window changes reaches another: colours, a deleted run, its return', async () => {
  const { page, go, address } = bench
  await go('/runs')
  const link = page.getByRole('link', { name: 'A made-up audit' })
  await link.waitFor()
  const other = await page.context().newPage()
  await other.goto(`${new URL(address).origin}/#/house`)
  await other.getByLabel('Colours').selectOption('dark')
  const theme = () => page.evaluate(() => document.documentElement.dataset['theme'])
  await expect.poll(theme).toBe('dark')
  await other.getByRole('button', { name: /Delete.*A made-up audit/u }).click()
  await page.getByRole('heading', { name: 'No runs yet' }).waitFor()
  await other.getByRole('button', { name: 'Undo' }).click()
  await link.waitFor()
  await other.getByLabel('Colours').selectOption('system')
  await expect.poll(theme).toBe('light')
  await other.close()
})

test('an engine that was started again on its port takes the same tab back to where it was', async () => {
  const { page, go, address, home } = bench
  await go('/runs?sort=run')
  await page.getByRole('link', { name: 'A made-up audit' }).waitFor()
  bench.process.kill('SIGKILL')
  await page.getByRole('alert').getByText('The engine is not answering').waitFor()
  second = await serve(home, Number(new URL(address).port))
  await page.goto(second.address)
  await page.getByRole('link', { name: 'A made-up audit' }).waitFor()
  await expect.poll(() => page.url()).toContain('/runs?sort=run')
  expect(page.url()).not.toContain('token')
})

test('the console complained of the lost connection and of nothing else', () => {
  const others = (text: string) => !text.includes('net::ERR_') && !text.includes('401')
  expect(bench.complaints.filter(others)).toEqual([])
})
