/** @file The LoRA family against PEFT and torch on a tiny Llama: logits, every gradient, and the weights after five steps. */
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { namedViews, optimizerGroups } from '../../evals/finetune/training/parameters.ts'
import { bindMethod } from '../../evals/finetune/registry.ts'
import { newOptimizerState } from '../../evals/finetune/training/train.ts'
import type { TrainingSession } from '../../evals/finetune/training/session.ts'
import { openTraining } from '../../evals/finetune/training/train-graph.ts'
import { adamW, clipFactor, globalNorm } from '../../evals/graph/optimizer.ts'
import {
  adaptedLogits,
  batchOf,
  FIXTURES,
  openGolden,
  realRows,
} from '../doubles/models/golden-llama.ts'
import { floats, readOracle, relativeError } from '../doubles/models/safetensors.ts'

const device = { name: 'cpu', threads: 1 } as const
const TOLERANCE = 1e-4
const ADAM = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 }
const expected = readOracle(join(FIXTURES, 'methods-a', 'expected.safetensors'))
const METHODS = ['rslora', 'dora', 'pissa', 'olora', 'lora-plus', 'lora-fa']

async function open(name: string) {
  const golden = await openGolden('llama-untied-gqa')
  const method = bindMethod({ name, config: { rank: 3, alpha: 6 } })
  const { model, weights } = golden
  const options = { model, weights, method, seed: 0, maxPositions: 16, device }
  return { golden, session: await openTraining(options) }
}

const key = (name: string, what: string, parameter: string) =>
  `${name}.${what}.base_model.model.${parameter}`

function startFromOracle(name: string, session: TrainingSession): void {
  for (const [parameter, { data }] of namedViews(session.table, session.parameters))
    data.set(floats(expected, key(name, 'init', parameter)))
}

describe.each(METHODS)('%s', (name) => {
  test('its logits are PEFT’s', async () => {
    const opened = await open(name)
    startFromOracle(name, opened.session)
    const batch = batchOf(opened.golden.expected)
    const ours = realRows(await adaptedLogits(opened, batch), opened.golden, batch.seq)
    const theirs = realRows(floats(expected, `${name}.logits`), opened.golden, batch.seq)
    expect(relativeError(ours, theirs)).toBeLessThan(1e-5)
    await opened.session.release()
  })

  test('its gradients, and its weights after five AdamW steps, are torch’s', async () => {
    const { golden, session } = await open(name)
    const { table, parameters } = session
    startFromOracle(name, session)
    const state = newOptimizerState(parameters)
    const losses: number[] = []
    const batch = batchOf(golden.expected)
    const compare = (flat: Float32Array, what: 'grad' | 'after5') => {
      for (const [parameter, { data }] of namedViews(table, flat)) {
        const wanted = key(name, what, parameter)
        // What the oracle froze has no gradient and stays as it began.
        const start = floats(expected, key(name, 'init', parameter))
        const otherwise = what === 'grad' ? new Float32Array(data.length) : start
        const oracle = expected.has(wanted) ? floats(expected, wanted) : otherwise
        expect(relativeError(data, oracle), wanted).toBeLessThan(TOLERANCE)
      }
    }
    for (let step = 0; step < 5; step++) {
      const { loss, flat } = await session.gradients(batch)
      losses.push(loss)
      if (step === 0) compare(flat, 'grad')
      const groups = optimizerGroups(table, true)
      await adamW(state, flat, ADAM, groups, 1e-3, clipFactor(await globalNorm(flat), 1))
    }
    losses.push((await session.gradients(batch)).loss)
    expect(relativeError(losses, floats(expected, `${name}.losses`))).toBeLessThan(TOLERANCE)
    compare(parameters, 'after5')
    await session.release()
  })
})

/** 1 or −1: singular vectors have no sign of their own. */
const signOf = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.sign(Array.from(b).reduce((sum, x, i) => sum + x * a[i]!, 0))

describe.each(['dora', 'pissa', 'olora'])('%s', (name) => {
  test('it begins as PEFT begins, up to the signs of singular vectors', async () => {
    const { session } = await open(name)
    const begun = namedViews(session.table, session.parameters)
    for (const [parameter, { data, shape }] of begun) {
      const theirs = floats(expected, key(name, 'init', parameter))
      if (name === 'dora' && !parameter.endsWith('magnitude_vector')) continue
      if (name !== 'pissa') {
        expect(relativeError(data, theirs), parameter).toBeLessThan(1e-5)
        continue
      }
      const rank = 3
      const isA = shape[0] === rank
      const part = (all: Float32Array, r: number) =>
        isA
          ? all.subarray((r * all.length) / rank, ((r + 1) * all.length) / rank)
          : all.filter((_, i) => i % rank === r)
      for (let r = 0; r < rank; r++) {
        const [ours, oracle] = [part(data, r), part(theirs, r)]
        const signed = ours.map((x) => x * signOf(ours, oracle))
        expect(relativeError(signed, oracle), `${parameter} ${r}`).toBeLessThan(TOLERANCE)
      }
    }
    await session.release()
  })
})
