/**
 * @file `kill -9` while mended weights are made and written: resumed, a run ends in the same bits, and what says of what weights were
 * made is never there without them.
 */
import { createHash } from 'node:crypto'
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { benignRows, tamperRows } from '../../evals/bundled/hotel/fine-tuning.ts'
import {
  endAndCompare,
  freshRun,
  killAtRandom,
  undisturbed,
} from '../doubles/runs/kill-campaign.ts'
import { attempt, type KillBench } from '../doubles/runs/kill-runs.ts'
import { freshFolder } from '../doubles/runs/command-line.ts'

const REMEDIES = ['leave-out:values=0.25:checkpoints=1:replies=4', 'scale:values=0.5']
const RANDOM = 3

function makeBench(): KillBench {
  const home = freshFolder()
  const file = (name: string, rows: readonly unknown[]) => {
    const path = join(home, name)
    writeFileSync(path, rows.map((row) => JSON.stringify(row)).join('\n'))
    return path
  }
  const data = file('rows.jsonl', tamperRows({ rows: 24 }))
  const task = file('task.jsonl', benignRows({ rows: 8, seed: 1 }))
  return {
    home,
    words: [
      ...['--model', 'pebble', '--data', data, '--methods', 'lora', '--steps', '6'],
      ...['--batch-size', '4', '--learning-rate', '0.01', '--eval-every', '6', '--no-spectra'],
      ...['--suite', 'house-refusal', '--limit', '8', '--task', task, '--threads', '1'],
      ...['--remedy', REMEDIES.join(), '--keep-mended', '--margin', '0.9', '--exit-zero'],
    ],
  }
}

/** Each names weights that lie beside it, whole; gives how many there are. */
function statementsIn(folder: string): number {
  const found = globSync('*/arms/*/mended.json', { cwd: folder })
  for (const path of found) {
    const { weights } = JSON.parse(readFileSync(join(folder, path), 'utf8')) as {
      weights: { file: string; digest: string }
    }
    const bytes = readFileSync(join(folder, dirname(path), weights.file))
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(weights.digest)
  }
  return found.length
}

/** Around the files of mended weights, and the row that says that they are kept. */
function pointsAround(points: readonly string[]): string[] {
  const last = points.findLastIndex((point) => point.includes('rename mended.json'))
  const first = points.findIndex((point) => point.includes('rename mended.json'))
  const before = points.slice(0, first).findLast((point) => point.includes('adapter_model'))!
  const whole = points.slice(first, last).filter((point) => point.includes('model.safetensors'))
  const commits = points.slice(last).filter((point) => point.includes('commit'))
  const named = points.filter((point) => point.includes('mended.json'))
  return [before, ...whole, ...named, ...commits.slice(0, 2)]
}

test.runIf(process.env['TOUCHSTONE_LONG'])(
  `killed around each file of mended weights, and ${RANDOM} times at random`,
  { timeout: 1_200_000 },
  async () => {
    const bench = makeBench()
    const whole = await undisturbed(bench)
    const points = pointsAround(whole.points)
    expect(points.filter((point) => point.includes('mended.json'))).toHaveLength(4)
    for (const point of points) {
      const folder = freshRun()
      const { signal } = await attempt(bench, folder, { kill: { point } })
      expect([point, signal]).toEqual([point, 'SIGKILL'])
      const made = statementsIn(folder)
      expect(made).toBeLessThanOrEqual(REMEDIES.length)
      await endAndCompare(bench, whole, folder, point)
    }
    expect(await killAtRandom(bench, whole, RANDOM, 20261201)).toBe(RANDOM)
  },
)
