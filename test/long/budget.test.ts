/** @file A search for a budget on Pebble that is killed with -9 again and again ends in what an undisturbed one found. */
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Results } from '../../evals/contract/results.ts'
import { freshFolder } from '../doubles/runs/command-line.ts'

const CLI = join(import.meta.dirname, '..', '..', 'evals', 'bin', 'cli.ts')
const ARGV = [
  ...['budget', '--along', 'steps=8,16,32,64', '--refine', '1', '--seeds', '0,1'],
  ...['--limit', '60', '--jobs', '2'],
]
const KILLS = 12

/** Without times, which are the machine's. */
function foundIn(out: string) {
  const { budget } = Results.parse(JSON.parse(readFileSync(join(out, 'results.json'), 'utf8')))
  return { ...budget!, lines: budget!.lines.map((line) => ({ ...line, threadHours: null })) }
}

test.runIf(process.env['TOUCHSTONE_LONG'])('killed, it ends the same', async () => {
  const calm = freshFolder()
  expect(spawnSync(process.execPath, [CLI, ...ARGV, '--out-dir', calm]).status).toBe(0)
  const out = freshFolder()
  for (let kill = 0; kill < KILLS; kill++) {
    const child = spawn(process.execPath, [CLI, ...ARGV, '--out-dir', out], { stdio: 'ignore' })
    const ended = new Promise((resolve) => child.once('exit', resolve))
    await Promise.race([ended, sleep(1500 + 700 * kill)])
    child.kill('SIGKILL')
    await ended
  }
  expect(spawnSync(process.execPath, [CLI, ...ARGV, '--out-dir', out]).status).toBe(0)
  expect(foundIn(out)).toEqual(foundIn(calm))
  expect(foundIn(out).lines[0]!.seeds.every(({ tried }) => tried > 1)).toBe(true)
})
