/** @file Whole sweeps on the command line: killed workers and coordinators, errors, borrowing, one cell alone. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Results } from '../../../evals/contract/results.ts'
import { counted, IS_LONG, sampled } from '../../doubles/tier.ts'

const CLI = join(import.meta.dirname, '..', '..', '..', 'evals', 'bin', 'cli.ts')
const fresh = () => mkdtempSync(join(tmpdir(), 'touchstone-sweep-'))

const RF = ['sweep', '--testbed', 'random-features', '--axis', 'features=5,10,20']
const RANKS = sampled([1, 2, 4, 8, 16], 3)
const PEBBLE = [
  ...['sweep', '--model', 'pebble', '--data', 'house-tamper', '--methods', 'lora', '--steps', '3'],
  ...['--batch-size', '2', '--limit', '4', '--axis', `rank=${RANKS.join()}`, '--jobs', '2'],
]

const run = (argv: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...argv], {
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

function start(out: string, argv: readonly string[] = PEBBLE) {
  const child = spawn(process.execPath, [CLI, ...argv, '--out-dir', out], { stdio: 'ignore' })
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  return { pid: child.pid!, ended }
}

function planOf(out: string): string {
  const [id] = readdirSync(join(out, 'sweeps'))
  return join(out, 'sweeps', id!, 'plan.jsonl')
}

const cellsIn = (out: string) => {
  const folder = join(planOf(out), '..', 'cells')
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'))
  return names.map((name) => join(folder, name))
}

const results = (out: string) =>
  JSON.parse(readFileSync(join(out, 'results.json'), 'utf8')) as Results

/** Everything that was measured; times are the machine's. */
const measured = (out: string) => results(out).sweep!.cells.map(({ seconds: _, ...cell }) => cell)

/** Waits for what a running sweep leaves; fails loudly where it never comes. */
async function until(what: string, condition: () => boolean): Promise<void> {
  for (let waited = 0; waited < 120_000; waited += 20) {
    if (condition()) return
    await sleep(20)
  }
  throw new Error(`two minutes have passed without ${what}`)
}

const safely = (look: () => boolean) => () => {
  try {
    return look()
  } catch {
    return false
  }
}

const childrenOf = (pid: number) =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)

const isAlive = (pid: number) =>
  safely(() => !/^State:\s+Z/mu.test(readFileSync(`/proc/${pid}/status`, 'utf8')))()

describe('a sweep of Pebble', () => {
  test('killed in the middle, worker and coordinator, and stopped by Ctrl-C, ends in what an undisturbed one found', async () => {
    const calm = fresh()
    expect(run([...PEBBLE, '--out-dir', calm])).toMatchObject({ status: 0 })
    const cells = results(calm).sweep!.cells
    expect(cells.map(({ status }) => status)).toEqual(
      Array.from({ length: 1 + RANKS.length }, () => 'done'),
    )
    expect(cells[1]!.metrics.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        ...['train-loss', 'test-loss', 'best-test-loss', 'best-test-step', 'house-refusal'],
        ...['held-out-loss', 'best-held-out-loss', 'best-held-out-step'],
      ]),
    )

    const out = fresh()
    const first = start(out)
    await until(
      'a worker',
      safely(() => childrenOf(first.pid).length > 0),
    )
    process.kill(childrenOf(first.pid)[0]!, 'SIGKILL')
    await until(
      'a result',
      safely(() => cellsIn(out).length > 0),
    )
    process.kill(first.pid, 'SIGINT')
    expect(await first.ended).toBe(130)

    const second = start(out)
    await until(
      'a worker after the stop',
      safely(() => childrenOf(second.pid).length > 0),
    )
    const workers = childrenOf(second.pid)
    process.kill(second.pid, 'SIGKILL')
    await second.ended
    const before = new Map(cellsIn(out).map((file) => [file, statSync(file).mtimeMs]))
    // Nobody goes on working for a coordinator that is gone.
    await until('an end of the workers', () => !workers.some(isAlive))

    expect(run([...PEBBLE, '--out-dir', out])).toMatchObject({ status: 0 })
    expect(measured(out)).toEqual(measured(calm))
    for (const [file, time] of before) expect(statSync(file).mtimeMs).toBe(time)
    // No weights are left, of any cell.
    expect(readdirSync(out, { recursive: true }).join('\n')).not.toMatch(/safetensors/)
  })
})

describe('a sweep of a testbed', () => {
  test('goes on where a worker is killed before it hears of its first cell', async () => {
    // Whether the word is on its way at that moment is luck: of five, some.
    for (let attempt = 0; attempt < counted(2, 5); attempt++) {
      const sweep = start(fresh(), [...RF, '--seeds', '0'])
      let worker: number | undefined
      while (worker === undefined) {
        await sleep(1)
        worker = childrenOf(sweep.pid)[0]
      }
      process.kill(worker, 'SIGKILL')
      expect(await sweep.ended).toBe(0)
    }
  })

  test.runIf(IS_LONG)('side by side, killed in the middle, ends in the same bits', async () => {
    const digits = ['sweep', '--testbed', 'digits', '--axis', 'width=8,16,32', '--seeds', '0..11']
    const argv = [...digits, '--axis', 'samples=200', '--axis', 'epochs=300', '--jobs', '2']
    const [calm, out] = [fresh(), fresh()]
    expect(run([...argv, '--out-dir', calm]).status).toBe(0)
    const first = start(out, argv)
    await until(
      'a result',
      safely(() => cellsIn(out).length > 0),
    )
    process.kill(first.pid, 'SIGKILL')
    await first.ended
    rmSync(cellsIn(out)[0]!)
    expect(run([...argv, '--out-dir', out]).status).toBe(0)
    expect(measured(out)).toEqual(measured(calm))
  })

  test('runs only what is new where seeds are added, and nothing the second time', () => {
    const out = fresh()
    expect(run([...RF, '--seeds', '0..2', '--out-dir', out]).status).toBe(0)
    const [kept] = cellsIn(out)
    // Recognisable: had it been run again, the time would be another.
    const text = readFileSync(kept!, 'utf8').replace(/"seconds":[^,}]+/u, '"seconds":4321')
    writeFileSync(kept!, text)
    const wider = run([...RF, '--seeds', '0..3', '--out-dir', out])
    expect(wider.stderr).toContain('cells (3 cells)')
    const { cells, summaries } = results(out).sweep!
    expect(cells).toHaveLength(12)
    expect(cells.filter(({ seconds }) => seconds === 4321)).toHaveLength(1)
    expect(summaries.every(({ seeds }) => seeds === 4)).toBe(true)
    expect(run([...RF, '--seeds', '0..3', '--out-dir', out]).stderr).not.toContain('cells (')
  })

  test('takes a damaged result for none, keeps a recorded failure until it is asked to retry', () => {
    const out = fresh()
    expect(run([...RF, '--seeds', '0', '--out-dir', out]).status).toBe(0)
    const [damaged, failed] = cellsIn(out)
    const error = { code: 'internal', message: 'planted', remedy: 'none' }
    const { key } = JSON.parse(readFileSync(failed!, 'utf8')) as { key: string }
    const failure = { key, status: 'failed', error, metrics: [], curves: [], seconds: 0 }
    writeFileSync(damaged!, '{"key":')
    writeFileSync(failed!, JSON.stringify(failure))
    const again = run([...RF, '--seeds', '0', '--out-dir', out])
    expect([again.status, again.stderr.includes('cells (1 cell)')]).toEqual([0, true])
    const statuses = () => results(out).sweep!.cells.map(({ status }) => status)
    expect(statuses().toSorted()).toEqual(['done', 'done', 'failed'])
    expect(run([...RF, '--seeds', '0', '--out-dir', out, '--retry-errors']).status).toBe(0)
    expect(statuses()).toEqual(['done', 'done', 'done'])
  })
})

describe('touchstone cell', () => {
  test('gives the bytes that the sweep gave, but for the time, without a database', () => {
    const out = fresh()
    expect(run([...RF, '--seeds', '0', '--out-dir', out]).status).toBe(0)
    const plan = planOf(out)
    const said = (file: string) =>
      readFileSync(file, 'utf8').replace(/"seconds":[^,}]+/u, '"seconds":0')
    const before = cellsIn(out).map(said)
    cellsIn(out).forEach((file) => rmSync(file))
    rmSync(join(out, 'touchstone.db'))
    for (const index of ['0', '1', '2']) {
      expect(run(['cell', '--plan', plan, '--index', index]).status).toBe(0)
    }
    expect(cellsIn(out).map(said)).toEqual(before)
    expect(readdirSync(out)).not.toContain('touchstone.db')
    expect(run(['cell', '--plan', plan, '--index', '0']).stdout).toContain('Was there already')
    const beyond = run(['cell', '--plan', plan, '--index', '3', '--json'])
    expect(beyond.status).toBe(1)
    expect(JSON.parse(beyond.stdout)).toMatchObject({ code: 'sweep.no-cell' })
  })
})
