/** @file GGPO and MGPO in the loop (docs/methods/ggpo-mgpo.md): one pass a step, no residue, and plain LoRA at strength zero. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bindMethod } from '../../../evals/finetune/registry.ts'
import { loadTrainingState } from '../../../evals/finetune/training/state.ts'
import { newOptimizerState, train } from '../../../evals/finetune/training/train.ts'
import { openTraining } from '../../../evals/finetune/training/train-graph.ts'
import { optimizerGroups } from '../../../evals/finetune/training/parameters.ts'
import { adamW, clipFactor, globalNorm } from '../../../evals/graph/optimizer.ts'
import { tinyModel } from '../../doubles/models/tiny-model.ts'
import {
  TINY_STEPS,
  tinyExamples,
  tinyPlan,
  trainTiny,
} from '../../doubles/training/tiny-training.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'touchstone-perturbing-'))
})
afterAll(() => rm(folder, { recursive: true }))

const FORMS: readonly (readonly [string, object, object])[] = [
  ['ggpo', { sigma: 0.2, beta: 1 }, { sigma: 0 }],
  ['ggpo', { form: 'kohya', sigma: 0.2, beta: 1 }, { form: 'kohya', sigma: 0, beta: 0 }],
  ['mgpo', { rho: 0.5 }, { rho: 0 }],
  ['mgpo', { rho: 0.5, space: 'weight', scope: 'layer', sign: 'descend' }, { rho: 0 }],
]

/** A run with every gradient recorded: how often it was asked, at what, and what came of it. */
async function watch(method: string, methodConfig: object, accumulation = 1) {
  const tiny = tinyModel()
  const before = new Map([...tiny.weights].map(([name, data]) => [name, data.slice()]))
  const examples = tinyExamples(tiny.options.vocab)
  const session = await openTraining({
    model: tiny.model,
    weights: tiny.weights,
    method: bindMethod({ name: method, config: { ...methodConfig } }),
    seed: 5,
    maxPositions: 32,
    device: { name: 'cpu', threads: 1 },
    data: { examples, padId: 0 },
  })
  const config = tinyPlan({ gradientAccumulationSteps: accumulation })
  const state = newOptimizerState(session.parameters, session.memorySize)
  const seen: { at: Float32Array; flat: Float32Array; isPerturbed: boolean }[] = []
  const watched: typeof session = {
    ...session,
    async gradients(batch, perturbation) {
      const result = await session.gradients(batch, perturbation)
      const isPerturbed = perturbation !== undefined
      seen.push({ at: state.parameters.slice(), flat: result.flat.slice(), isPerturbed })
      return result
    },
  }
  const plan = { session: watched, examples, padId: 0, config, seed: 5 }
  const rest = { signal: new AbortController().signal, lastGood: () => 'none' }
  const reports = []
  for await (const report of train(state, { ...plan, ...rest })) reports.push(report)
  await session.release()
  return { state, seen, reports, before, weights: tiny.weights, session, config }
}

describe.each(FORMS)('%s %j', (method, methodConfig, off) => {
  test('T1: at strength zero it is LoRA, bit for bit', async () => {
    const plain = await trainTiny({ method: 'lora' })
    const still = await trainTiny({ method, methodConfig: off })
    const moved = await trainTiny({ method, methodConfig })
    expect(still.state.parameters).toEqual(plain.state.parameters)
    expect(still.reports).toEqual(plain.reports)
    expect(moved.state.parameters).not.toEqual(plain.state.parameters)
  })

  test('T5: one forward and one backward for each micro-batch', async () => {
    expect((await watch(method, methodConfig)).seen).toHaveLength(TINY_STEPS)
    expect((await watch(method, methodConfig, 2)).seen).toHaveLength(2 * TINY_STEPS)
  })

  test('T4: a step ends at θ − update, and the base’s bits are untouched', async () => {
    const { state, seen, reports, before, weights, session, config } = await watch(
      method,
      methodConfig,
    )
    expect(seen.filter(({ isPerturbed }) => isPerturbed).length).toBeGreaterThan(TINY_STEPS - 2)
    expect(weights).toEqual(before)
    const replayed = newOptimizerState(seen[0]!.at.slice())
    const groups = optimizerGroups(session.table, false)
    for (const [i, { at, flat }] of seen.entries()) {
      expect(replayed.parameters, `before step ${i + 1}`).toEqual(at)
      const clip = clipFactor(await globalNorm(flat), config.maxGradientNorm)
      await adamW(replayed, flat, config, groups, reports[i]!.learningRate, clip)
    }
    expect(state.parameters).toEqual(replayed.parameters)
  })

  test('killed after any step, it goes on to the same bits, with what it remembers', async () => {
    const whole = await trainTiny({ method, methodConfig })
    for (let k = 0; k < TINY_STEPS; k++) {
      const to = join(folder, `${method}-${k}.safetensors`)
      await trainTiny({ method, methodConfig }, { until: k, to })
      const resumed = await trainTiny({ method, methodConfig }, { from: to })
      expect(resumed.digest, `killed after step ${k}`).toBe(whole.digest)
    }
    expect(whole.state.memory.some((x) => x > 0)).toBe(true)
  })
})

test('a state without what the method remembers is refused', async () => {
  const to = join(folder, 'plain.safetensors')
  await trainTiny({ method: 'lora' }, { until: 2, to })
  await expect(loadTrainingState(to, { run: 'tiny' }, 1)).rejects.toThrow('methodMemory')
})

test('each micro-batch has noise of its own', async () => {
  const { seen } = await watch('ggpo', { sigma: 0.5 }, 2)
  const again = await watch('ggpo', { sigma: 0.5 }, 2)
  expect(again.seen).toEqual(seen)
})
