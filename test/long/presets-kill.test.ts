/** @file Prepared sweeps with few seeds and short trainings: killed with -9 in the middle and gone on with, they end in the same bits. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Results } from '../../evals/contract/results.ts'

const CLI = join(import.meta.dirname, '../../evals/bin/cli.ts')
const KILLS = 2
const fresh = () => mkdtempSync(join(tmpdir(), 'touchstone-preset-'))

const cellsIn = (out: string): number => {
  const sweeps = join(out, 'sweeps')
  if (!existsSync(sweeps)) return 0
  return readdirSync(sweeps, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /cells.*\.json$/u.test(name),
  ).length
}

/** Everything that was measured; times are the machine's. */
const measured = (out: string) => {
  const { sweep } = JSON.parse(readFileSync(join(out, 'results.json'), 'utf8')) as Results
  return sweep!.cells.map(({ seconds: _, ...cell }) => cell)
}

test.runIf(process.env['TOUCHSTONE_LONG']).each([
  [
    'double-descent-digits',
    ['--seeds', '0..9', '--axis', 'width=4,8,16,24', '--axis', 'epochs=200'],
  ],
  ['lora-ggpo', ['--seeds', '10', '--axis', 'rank=2,4', '--axis', 'steps=200']],
  ['refusal', ['--seeds', '0', '--steps', '10', '--eval-every', '5', '--limit', '6']],
])(`the preset %s survives ${KILLS} kills`, { timeout: 1_800_000 }, async (preset, short) => {
  const argv = ['sweep', '--preset', preset, ...short, '--exit-zero', '--quiet']
  /** The exit code; null of one that is killed when it has `least` results. */
  const swept = async (out: string, least = Infinity) => {
    const child = spawn(process.execPath, [CLI, ...argv, '--out-dir', out], { stdio: 'ignore' })
    const ended = once(child, 'exit') as Promise<[number | null]>
    const watched = (async () => {
      while (child.exitCode === null && cellsIn(out) < least) await sleep(20)
      if (least < Infinity) child.kill('SIGKILL')
    })()
    const [code] = await ended
    await watched
    return code
  }
  const [whole, folder] = [fresh(), fresh()]
  expect(await swept(whole)).toBe(0)
  let kills = 0
  while (kills < KILLS && (await swept(folder, 1 + cellsIn(folder))) === null) kills++
  expect(kills).toBe(KILLS)
  expect(cellsIn(folder)).toBeLessThan(cellsIn(whole))
  expect(await swept(folder)).toBe(0)
  expect(measured(folder)).toEqual(measured(whole))
})
