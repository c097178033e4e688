/** @file Kills runs until there were enough kills, resumes each to its end, and compares it with an undisturbed one. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import {
  attempt,
  integrityOf,
  leftoversOf,
  replayed,
  runOf,
  type Kill,
  type KillBench,
  type Leftovers,
} from './kill-runs.ts'
import { mulberry32 } from '../models/tiny-checkpoint.ts'

export interface Undisturbed {
  readonly leftovers: Leftovers
  /** Every point that such a run passes, in order. */
  readonly points: readonly string[]
  readonly ms: number
}

export const freshRun = (): string => mkdtempSync(join(tmpdir(), 'touchstone-killed-'))

export async function undisturbed(bench: KillBench): Promise<Undisturbed> {
  const folder = freshRun()
  const log = join(bench.home, 'points.txt')
  const { code, stderr, ms } = await attempt(bench, folder, { log })
  expect(stderr).toContain('Opening')
  expect(code, stderr).toBe(0)
  const points = readFileSync(log, 'utf8').trimEnd().split('\n')
  return { leftovers: leftoversOf(folder), points, ms }
}

/** States saved by the clock only, so that a run is also gone on with from steps that are not evaluated. */
const FAST_CLOCK = 20_000

/** Kills one run as told, process after process, then lets it end; gives how many kills met a living process. */
export async function killAndCompare(
  bench: KillBench,
  whole: Undisturbed,
  kills: readonly Kill[],
  { fast = false } = {},
): Promise<number> {
  const folder = freshRun()
  const clock = fast ? { clock: FAST_CLOCK } : {}
  let hits = 0
  for (const kill of kills) {
    const { code, signal, stderr } = await attempt(bench, folder, { kill, ...clock })
    const story = `${JSON.stringify(kill)} of ${JSON.stringify(kills)}: ${stderr}`
    expect(integrityOf(folder), story).toBe('ok')
    if (signal === 'SIGKILL') hits++
    else expect(code, story).toBe(0)
    if (runOf(folder)?.outcome === 'done') break
  }
  await endAndCompare(bench, whole, folder, JSON.stringify(kills))
  return hits
}

export async function endAndCompare(
  bench: KillBench,
  whole: Undisturbed,
  folder: string,
  story: string,
): Promise<void> {
  if (runOf(folder)?.outcome !== 'done') {
    const { code, stderr } = await attempt(bench, folder)
    expect(code, `${story}: ${stderr}`).toBe(0)
  }
  const { checkpoints, ...rest } = leftoversOf(folder)
  const { checkpoints: expected, ...others } = whole.leftovers
  expect(rest, story).toEqual(others)
  expect(checkpoints, story).toMatchObject(expected)
  const { stored, again } = replayed(folder)
  expect(again, story).toEqual(stored)
  // What failed stays, to be looked at.
  rmSync(folder, { recursive: true })
}

/** Runs of one to four kills at moments drawn over the whole run, until `count` kills met a living process. */
export async function killAtRandom(
  bench: KillBench,
  whole: Undisturbed,
  count: number,
  seed: number,
): Promise<number> {
  const random = mulberry32(seed)
  const draw = (): Kill =>
    random() < 0.5
      ? { afterMs: Math.round(random() * whole.ms) }
      : { point: whole.points[Math.floor(random() * whole.points.length)]! }
  let hits = 0
  for (let runs = 0; hits < count; runs++) {
    // A moment after the end is no kill; more than a few of those in a row would be a fault of this test.
    expect(runs).toBeLessThan(10 + 3 * count)
    const length = Math.min(count - hits, 1 + Math.floor(random() * 4))
    const kills = Array.from({ length }, draw)
    hits += await killAndCompare(bench, whole, kills, { fast: runs % 2 === 1 })
  }
  return hits
}
