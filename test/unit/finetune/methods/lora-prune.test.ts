/** @file LoRAPrune: the schedule, the scores, masks that only grow, and that what is gone answers as if it had been cut out. */
import { describe, expect, test } from 'vitest'
import { cutTo, cutWeight, keptOf } from '../../../../evals/finetune/cut.ts'
import { loraPrune } from '../../../../evals/finetune/methods/lora-prune.ts'
import { pairsOf } from '../../../../evals/finetune/methods/pairs.ts'
import { bind } from '../../../../evals/finetune/method.ts'
import { channelScores, importanceOf, shareAt } from '../../../../evals/finetune/pruning.ts'
import { namedViews } from '../../../../evals/finetune/training/parameters.ts'
import type { TrainingState } from '../../../../evals/finetune/training/state.ts'
import { openCached } from '../../../../evals/inference/cached-graph.ts'
import { scoreTexts } from '../../../../evals/inference/score.ts'
import type { Model } from '../../../../evals/models/registry.ts'
import { relativeError } from '../../../doubles/models/safetensors.ts'
import { randomIds, tinyModel } from '../../../doubles/models/tiny-model.ts'
import { stateOf } from '../../../doubles/training/one-pair.ts'
import { openTiny } from '../../../doubles/training/tiny-training.ts'

test('T1: the cubic schedule', () => {
  const ramp = { steps: 100, warmUp: 0.1, coolDown: 0.1 }
  const expected = {
    1: 0,
    10: 0,
    11: 0.01852,
    30: 0.28906,
    50: 0.4375,
    70: 0.49219,
    90: 0.5,
    99: 0.5,
  }
  for (const [step, share] of Object.entries(expected))
    expect(shareAt(Number(step), 0.5, ramp), step).toBeCloseTo(share, 5)
  // A run too short for a ramp ends with all gone that should be.
  expect(shareAt(1, 0.5, { ...ramp, steps: 1 })).toBe(0.5)
})

describe('T2: scores from the gradients of A and B', () => {
  const [rows, columns, rank] = [2, 3, 1]
  const W = Float32Array.of(1, 2, 0, 0, 1, -1)
  const own = { rows, columns, rank, W, A: Float32Array.of(1, 0, 1), B: Float32Array.of(2, -1) }
  const { parameters, layout } = stateOf(own)
  const gradient = Float32Array.of(0.3, -0.1, 0, 0.1, 0.2)
  const given = { parameters, gradient, scale: 0.5, weight: W }
  const [pair] = pairsOf(layout)
  const scores = (side: 'rows' | 'columns', score: 'absolute' | 'squared' = 'absolute') =>
    [...channelScores(pair!, side, { ...given, score })].map((each) => Number(each.toFixed(6)))
  const importance = (gone: boolean[]) => {
    const member = { layer: 'q', shape: [2, 3] as const, side: 'rows' as const, width: 1 }
    const groups = { count: 2, members: [member] }
    return importanceOf(groups, gone, () =>
      channelScores(pair!, 'rows', { ...given, score: 'absolute' }),
    )
  }

  test('of rows, of columns, and squared', () => {
    expect(scores('rows')).toEqual([1.82, 0.5])
    expect(scores('columns')).toEqual([1.42, 0.5, 0.4])
    // (1.34² + 0.38² + 0.1², 0.08² + 0.12² + 0.3²)
    expect(scores('rows', 'squared')).toEqual([1.95, 0.1108])
  })

  test('are divided by their norm over what is left', () => {
    expect(importance([false, false])[0]).toBeCloseTo(0.964273, 6)
    expect(importance([false, false])[1]).toBeCloseTo(0.26491, 6)
    expect([...importance([true, false])]).toEqual([0, 1])
  })
})

// Two groups of attention of two heads, eight channels, in three layers: the last stays whole.
const tiny = tinyModel({ heads: 4, kvHeads: 2, inner: 8, layers: 3 })
const SETTINGS = { rank: 2, prune: 0.5, pruneEvery: 2, pruneWarmUp: 0.1, pruneCoolDown: 0.1 }
const STEPS = 10
const masksIn = (state: TrainingState, table: Parameters<typeof namedViews>[0]) =>
  new Map(
    [...namedViews(table, state.parameters)]
      .filter(([name]) => name.endsWith('prune_mask'))
      .map(([name, { data }]) => [name, [...data]]),
  )

async function trained(given: typeof tiny = tiny, config: object = {}) {
  const methodConfig = { ...SETTINGS, ...config }
  const opened = await openTiny({
    ...{ tiny: given, method: 'lora-prune', methodConfig, config: { steps: STEPS } },
  })
  const { session, fresh: state } = opened
  const masks: Map<string, number[]>[] = []
  await opened.run(
    state,
    STEPS,
    undefined,
    async (now) => void masks.push(masksIn(now, session.table)),
  )
  const parameters = namedViews(session.table, state.parameters.slice())
  await session.release()
  const method = bind(loraPrune, methodConfig)
  const weight = (name: string) => given.weights.get(name)!
  const end = { model: given.model, parameters, prepared: {}, weight }
  const made = method.toWeights!(end)
  const weights = new Map([...given.weights, ...made])
  return { masks, parameters, method, kept: method.kept!(end), weights }
}

async function logProbs(
  model: Model,
  frozen: ReadonlyMap<string, Float32Array>,
  method?: ReturnType<typeof bind>,
) {
  const device = { name: 'cpu', threads: 1 } as const
  const session = await openCached({ model, frozen, ...(method && { method }) }, device, 16)
  const text = { key: 'text', ids: randomIds('text', 12, tiny.options.vocab), from: 1 }
  const { signal } = new AbortController()
  const [found] = await scoreTexts([text], { session, varying: {}, padId: 0, batchSize: 1, signal })
  await session.release()
  return found!
}

describe('a run', async () => {
  const { masks, parameters, method, kept, weights } = await trained()
  const zeros = (mask: readonly number[]) => mask.filter((x) => x === 0).length

  test('T4: masks only grow, whole heads at a time, to the share that was asked for; edges stay whole', () => {
    masks.slice(1).forEach((now, i) => {
      for (const [name, mask] of masks[i]!)
        mask.forEach((x, j) => expect(now.get(name)![j]! <= x, name).toBe(true))
    })
    const layer = (i: number, part: string) => `model.layers.${i}.${part}.prune_mask`
    const last = masks.at(-1)!
    expect(zeros(masks[0]!.get(layer(0, 'mlp.down_proj'))!)).toBe(0)
    for (const i of [0, 1]) {
      expect(zeros(last.get(layer(i, 'mlp.down_proj'))!)).toBe(4)
      const heads = last.get(layer(i, 'self_attn.o_proj'))!
      expect(zeros(heads)).toBe(16)
      expect([heads.slice(0, 16), heads.slice(16)].map(zeros).sort((a, b) => a - b)).toEqual([
        0, 16,
      ])
    }
    expect(zeros(last.get(layer(2, 'mlp.down_proj'))!)).toBe(0)
    expect(kept.size).toBe(14)
  })

  test('T3: what is gone answers as if it had been cut out, in training as in the weights', async () => {
    const asTrained = new Map(tiny.weights)
    for (const [name, { data }] of parameters) asTrained.set(name, data)
    const cut = cutTo({ model: tiny.model, weights }, kept)
    const expected = await logProbs(cut.model, cut.weights)
    expect(relativeError(await logProbs(tiny.model, weights), expected)).toBeLessThan(1e-5)
    expect(relativeError(await logProbs(tiny.model, asTrained, method), expected)).toBeLessThan(
      1e-5,
    )
    expect(relativeError(await logProbs(tiny.model, tiny.weights), expected)).toBeGreaterThan(1e-2)
    for (const spec of tiny.model.weights.values()) {
      const whole = weights.get(spec.name)!
      expect(cutWeight(whole, keptOf(spec, kept)), spec.name).toEqual(whole)
    }
  })

  test('T5: a channel of zeros is the first to go', async () => {
    const weights = new Map(tiny.weights)
    for (const name of ['gate_proj', 'up_proj']) {
      const key = `model.layers.0.mlp.${name}.weight`
      weights.set(
        key,
        tiny.weights
          .get(key)!
          .slice()
          .fill(0, 5 * 16, 6 * 16),
      )
    }
    const key = 'model.layers.0.mlp.down_proj.weight'
    weights.set(
      key,
      tiny.weights.get(key)!.map((w, i) => (i % 8 === 5 ? 0 : w)),
    )
    const run = await trained({ ...tiny, weights }, { prune: 0.125 })
    expect(run.kept.get('model.layers.0.mlp.down_proj')!.columns).toEqual([0, 1, 2, 3, 4, 6, 7])
  })

  test('leaves a head of keys and an eighth of the channels, and with --prune-edges prunes every layer', async () => {
    const run = await trained(tiny, { prune: 0.95, pruneEdges: true })
    for (const layer of [0, 1, 2]) {
      const columns = (part: string) => run.kept.get(`model.layers.${layer}.${part}`)!.columns
      expect(columns('self_attn.o_proj')).toHaveLength(16)
      expect(columns('mlp.down_proj')).toHaveLength(1)
    }
  })
})

test('a family of other parts is refused by name', () => {
  const weights = new Map(tiny.model.weights)
  weights.delete('model.layers.0.mlp.gate_proj.weight')
  const layout = {
    ...stateOf({
      rows: 1,
      columns: 1,
      rank: 1,
      W: new Float32Array(1),
      A: new Float32Array(1),
      B: new Float32Array(1),
    }).layout,
    model: { ...tiny.model, weights },
  }
  expect(() => bind(loraPrune, {}).memory!(layout)).toThrow(
    expect.objectContaining({ code: 'training.not-separable' }),
  )
})
