/**
 * @file Every decoder family against transformers at three seeds and odd sizes: logits, loss and gradients within 1e-4, and the same
 * greedy tokens through the cache. Needs a Python with torch, transformers and peft (test/golden/requirements.lock).
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { full } from '../../evals/finetune/methods/full.ts'
import { bind } from '../../evals/finetune/method.ts'
import { namedViews } from '../../evals/finetune/training/parameters.ts'
import { openTraining } from '../../evals/finetune/training/train-graph.ts'
import { openCached } from '../../evals/inference/cached-graph.ts'
import { asStored } from '../../evals/models/weight-list.ts'
import { greedyOf, written } from '../doubles/models/golden-greedy.ts'
import {
  batchOf,
  FIXTURES,
  goldenLogits,
  openGolden,
  worstLogit,
} from '../doubles/models/golden-llama.ts'
import { floats, relativeError } from '../doubles/models/safetensors.ts'
import { freshFolder } from '../doubles/runs/command-line.ts'
import { oraclePython } from './smollm2.ts'

const SEEDS = [1, 2, 3]
const TOLERANCE = 1e-4
const CPU = { name: 'cpu', threads: 1 } as const
const script = join(FIXTURES, '..', 'make-families.py')
const isReady = spawnSync(oraclePython(), ['-c', 'import torch, transformers, peft']).status === 0
const title = isReady
  ? 'seed %i'
  : 'seed %i (needs a Python with torch, transformers and peft: TOUCHSTONE_PYTHON)'
const { cases } = JSON.parse(readFileSync(join(FIXTURES, 'families.json'), 'utf8')) as {
  cases: string[]
}
const root = freshFolder()

function made(seed: number): string {
  const folder = join(root, String(seed))
  mkdirSync(folder, { recursive: true })
  const ran = spawnSync(oraclePython(), [script, folder, '--seed', String(seed)], {
    encoding: 'utf8',
  })
  expect(ran.status, ran.stderr.slice(-800)).toBe(0)
  return folder
}

describe.skipIf(!isReady).each(SEEDS)(title, { timeout: 600_000 }, (seed) => {
  const folder = isReady ? made(seed) : ''

  test.each(cases)('%s', async (name) => {
    const golden = await openGolden(name, folder)
    const { model, weights, expected } = golden
    const batch = batchOf(expected)
    expect(worstLogit(await goldenLogits(golden, batch), expected)).toBeLessThan(TOLERANCE)

    const method = bind(full, { learningRateScale: 1 })
    const own = { model, weights, method, seed: 0, maxPositions: 16, device: CPU }
    const training = await openTraining(own)
    const { loss, flat } = await training.gradients(batch)
    expect(Math.abs(loss - floats(expected, 'loss')[0]!)).toBeLessThan(TOLERANCE)
    for (const [weight, { data }] of namedViews(training.table, flat)) {
      const { data: stored } = asStored(data, model.weights.get(weight)!)
      const reference = floats(expected, `full.grad.${weight}`)
      expect(relativeError(stored, reference), weight).toBeLessThan(TOLERANCE)
    }
    await training.release()

    const session = await openCached({ model, frozen: weights }, CPU, 32)
    const { prompts, expected: tokens } = greedyOf(golden)
    const width = tokens[0]!.length
    const found = await written({ session, prompts, maxNewTokens: width, batchSize: 2 })
    // Tokens closer than twice the tolerance may change places, and all after them.
    const gaps = floats(expected, 'greedy.gaps')
    tokens.forEach((row, b) => {
      const close = gaps.slice(b * width, (b + 1) * width).findIndex((gap) => gap < 2 * TOLERANCE)
      const count = close < 0 ? width : close
      expect(found[b]!.tokenIds.slice(0, count)).toEqual(row.slice(0, count))
    })
    await session.release()
  })
})
