/**
 * @file A real workbench for tests in a browser: `touchstone serve` on a folder of its own, and Debian's Chromium on its address.
 * Nothing is mocked. Screenshots lie in `out/e2e`.
 */
import { AxeBuilder } from '@axe-core/playwright'
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type Browser, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, type RunnerTask } from 'vitest'
import { ROOT } from '../doubles/imports.ts'

const CHROMIUM = process.env['TOUCHSTONE_CHROMIUM'] ?? '/usr/bin/chromium'
export const SCREENSHOTS = join(ROOT, 'out', 'e2e')
const START_MS = 60_000

export interface Served {
  readonly home: string
  /** Carries the one-time token. */
  readonly address: string
  readonly process: ChildProcess
}

interface Workbench extends Served {
  readonly page: Page
  /** What the page's console said that it should not have. */
  readonly complaints: readonly string[]
  /** Light and dark: no violation of axe's rules, and a screenshot each. */
  readonly inspect: (name: string) => Promise<void>
  /** Keeps what the page looked like when a test failed. */
  readonly witness: (task: RunnerTask) => Promise<void>
  /** What the page itself would ask the engine; it is signed in. */
  readonly ask: <T>(name: string, input: unknown) => Promise<T>
  readonly go: (hash: string) => Promise<void>
  readonly close: () => Promise<void>
}

export const newHome = (): string => mkdtempSync(join(tmpdir(), 'touchstone-e2e-'))

/** Starts `touchstone serve` and resolves with the address that it prints. */
export async function serve(home: string, port = 0): Promise<Served> {
  const args = ['evals/bin/cli.ts', 'serve', '--port', String(port), '--out-dir', home]
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
  const address = await new Promise<string>((resolve, reject) => {
    let said = ''
    const timer = setTimeout(
      () => reject(new Error(`no address within a minute: ${said}`)),
      START_MS,
    )
    const hear = (chunk: Buffer) => {
      said += chunk.toString()
      const found = /http:\/\/\S+#token=\S+/u.exec(said)
      if (!found) return
      clearTimeout(timer)
      resolve(found[0])
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.once('exit', (code) => reject(new Error(`serve ended with ${code}: ${said}`)))
  })
  return { home, address, process: child }
}

export async function launch(): Promise<Browser> {
  if (!existsSync(CHROMIUM)) {
    throw new Error(
      `There is no Chromium at ${CHROMIUM}. Run: apt-get install chromium, or set TOUCHSTONE_CHROMIUM.`,
    )
  }
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
}

async function openWorkbench(home: string): Promise<Workbench> {
  mkdirSync(SCREENSHOTS, { recursive: true })
  const served = await serve(home)
  const browser = await launch()
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    reducedMotion: 'reduce',
  })
  const page = await context.newPage()
  page.setDefaultTimeout(20_000)
  const complaints: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  await page.goto(served.address)
  await page.getByRole('navigation', { name: 'Workbench' }).waitFor()
  return {
    ...served,
    page,
    complaints,
    inspect: (name) => inspect(page, name),
    ask: (name, input) => ask(page, name, input),
    async witness({ name, result }) {
      if (result?.state !== 'fail') return
      const file = `failed-${name.replaceAll(/\W+/gu, '-').slice(0, 60)}.png`
      await page.screenshot({ path: join(SCREENSHOTS, file) })
    },
    go: async (hash) => {
      await page.goto(new URL(`#${hash}`, served.address).href)
    },
    async close() {
      await browser.close()
      served.process.kill('SIGTERM')
      rmSync(home, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** One workbench for all tests of a file, there from the first of them on; `prepare` may put runs into its folder before. */
export function sharedWorkbench(prepare?: (home: string) => void): Workbench {
  const bench = {} as Workbench
  beforeAll(async () => {
    const home = newHome()
    prepare?.(home)
    Object.assign(bench, await openWorkbench(home))
  })
  afterAll(() => bench.close())
  afterEach(({ task }) => bench.witness(task))
  return bench
}

/** The benchmarks' page with its form of a new evaluation unfolded: it opens by itself where there is nothing to look at yet. */
export async function goToEvaluate({ page, go }: Pick<Workbench, 'page' | 'go'>): Promise<void> {
  await go('/benchmarks')
  await page.getByRole('heading', { name: 'Benchmarks' }).waitFor()
  await page
    .getByText(/No replies yet|Checkpoint/u)
    .first()
    .waitFor()
  await page
    .locator('details', { hasText: 'Evaluate a model…' })
    .evaluate((details: HTMLDetailsElement) => (details.open = true))
}

function ask<T>(page: Page, name: string, input: unknown): Promise<T> {
  return page.evaluate(
    async (body) => {
      const headers = { 'Content-Type': 'application/json' }
      const answer = await fetch('call', { method: 'POST', headers, body: JSON.stringify(body) })
      const said = (await answer.json()) as { ok: true; value: T } | { ok: false; error: unknown }
      if (!said.ok) throw new Error(JSON.stringify(said.error))
      return said.value
    },
    { name, input },
  )
}

export async function inColours(page: Page, colorScheme: 'light' | 'dark'): Promise<void> {
  await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
  await page.waitForFunction(
    (theme) => document.documentElement.dataset['theme'] === theme,
    colorScheme,
  )
}

async function inspect(page: Page, name: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await inColours(page, colorScheme)
    await page.screenshot({ path: join(SCREENSHOTS, `${name}-${colorScheme}.png`) })
    const { violations } = await new AxeBuilder({ page }).analyze()
    const told = violations.map(
      ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`,
    )
    expect(told, `${name}, ${colorScheme}`).toEqual([])
  }
}
