/**
 * @file The window with 100,000 samples: `node test/e2e/bench.ts`, after `npm run build`. Flags: --samples 100000, --out FILE.
 * A made-up run in a real database, the real `touchstone serve`, Debian's Chromium; the engine is idle while it is scrolled.
 */
import { readFileSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import type { Browser, Page } from 'playwright-core'
import { LOOKALIKES, plannedRows } from '../doubles/rows/audit-rows.ts'
import { filesUnder, ROOT } from '../doubles/imports.ts'
import { storeAudit, STORED_RUN } from '../doubles/runs/stored-audit.ts'
import { launch, newHome, serve } from './workbench.ts'
import { machine, showMachine } from '../bench/harness/machine.ts'

const TIMES = 5
const BARS = { firstRowMs: 1000, frame95Ms: 25, heapBytes: 80e6, firstPaintMs: 1000 }

const { values } = parseArgs({
  options: { samples: { type: 'string', default: '100000' }, out: { type: 'string' } },
})
const samples = Number(values.samples)
const before = machine()

const median = (numbers: readonly number[]) =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!

function storeSamples(home: string): void {
  const benchmark = { ...LOOKALIKES, n: samples, base: Math.round(samples / 10) }
  const change = { lost: Math.round(samples / 50), gained: Math.round(samples / 100) }
  const steps = { 40: { [LOOKALIKES.name]: change } }
  storeAudit(
    plannedRows({ benchmarks: [benchmark], arms: [{ arm: 'lora', seed: 0, steps }] }),
    home,
  )
}

/** Runs before the page's own code: notes when the first row of the table has text. */
function watchFirstRow(): void {
  const look = () => {
    const cell = document.querySelector('[role=row][aria-rowindex="2"] [role=gridcell]')
    if (cell && cell.textContent !== '…') Object.assign(window, { firstRowMs: performance.now() })
    else requestAnimationFrame(look)
  }
  requestAnimationFrame(look)
}

/** From the list's beginning: four seconds of steady scrolling, two of leaps. Milliseconds between frames. */
async function scroll(): Promise<number[]> {
  const grid = document.querySelector('[role=grid]')!
  const frames: number[] = []
  const next = () => new Promise<number>((resolve) => requestAnimationFrame(resolve))
  grid.scrollTop = 0
  let last = await next()
  for (let frame = 0; frame < 360; frame++) {
    grid.scrollTop += frame < 240 ? 60 : 20_000
    const now = await next()
    frames.push(now - last)
    last = now
  }
  return frames
}

async function heapOf(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page)
  await session.send('HeapProfiler.collectGarbage')
  const { usedSize } = await session.send('Runtime.getHeapUsage')
  return usedSize
}

async function once(browser: Browser, address: string, cookies: Cookies) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } })
  await context.addCookies(cookies)
  const page = await context.newPage()
  await page.addInitScript(watchFirstRow)
  const { origin } = new URL(address)
  await page.goto(`${origin}/#/benchmarks?run=${STORED_RUN}&arm=lora`)
  const firstRowMs = await (
    await page.waitForFunction(() => (window as { firstRowMs?: number }).firstRowMs)
  ).jsonValue()
  const firstPaintMs = await page.evaluate(
    () => performance.getEntriesByName('first-contentful-paint')[0]!.startTime,
  )
  const frames = (await page.evaluate(scroll)).sort((a, b) => a - b)
  const frame95Ms = frames[Math.floor(0.95 * frames.length)]!
  const heapBytes = await heapOf(page)
  await context.close()
  return { firstRowMs: firstRowMs!, firstPaintMs, frame95Ms, heapBytes }
}

type Cookies = Awaited<ReturnType<Awaited<ReturnType<Browser['newContext']>>['cookies']>>

/** The token works once; what it was exchanged for serves every measurement. */
async function signIn(browser: Browser, address: string): Promise<Cookies> {
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(address)
  await page.getByRole('heading', { level: 1 }).waitFor()
  const cookies = await context.cookies()
  await context.close()
  return cookies
}

function bundle() {
  const files = filesUnder('renderer/dist/**/*.{js,css,html}').map((path) =>
    readFileSync(join(ROOT, path)),
  )
  const total = (sizes: readonly number[]) => sizes.reduce((sum, size) => sum + size, 0)
  return {
    bundleBytes: total(files.map(({ length }) => length)),
    bundleGzipBytes: total(files.map((file) => gzipSync(file).length)),
  }
}

const home = newHome()
storeSamples(home)
const served = await serve(home)
const browser = await launch()
try {
  const cookies = await signIn(browser, served.address)
  const runs: Awaited<ReturnType<typeof once>>[] = []
  for (let i = 0; i < TIMES; i++) runs.push(await once(browser, served.address, cookies))
  const names = ['firstPaintMs', 'firstRowMs', 'frame95Ms', 'heapBytes'] as const
  const medians = Object.fromEntries(
    names.map((name) => [name, median(runs.map((run) => run[name]))]),
  )
  const result = { samples, machine: before, bars: BARS, ...bundle(), medians, runs }
  process.stdout.write(
    `${showMachine(before)}\n${JSON.stringify({ ...result, machine: undefined }, null, 2)}\n`,
  )
  if (values.out) await writeFile(values.out, `${JSON.stringify(result, null, 2)}\n`)
} finally {
  await browser.close()
  served.process.kill('SIGTERM')
  rmSync(home, { recursive: true, force: true, maxRetries: 5 })
}
