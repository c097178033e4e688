/** @file Methods that are asked as weights made of their state: both states of a cut model, what is asked is what is exported, and in which shapes. */
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { tunedOf } from '../../../evals/arms/arm-adapter.ts'
import { runArm } from '../../../evals/arms/arm.ts'
import { fittedExamples } from '../../../evals/arms/examples.ts'
import { exportKept } from '../../../evals/arms/retention.ts'
import type { JobEventBody } from '../../../evals/contract/events.ts'
import type { JobContext } from '../../../evals/contract/job.ts'
import { PRUNED_SHARE } from '../../../evals/contract/metrics/pruning.ts'
import { bindMethod } from '../../../evals/finetune/registry.ts'
import { TrainingConfig } from '../../../evals/finetune/training/train.ts'
import { openCached } from '../../../evals/inference/cached-graph.ts'
import { scoreTexts } from '../../../evals/inference/score.ts'
import { loadModel } from '../../../evals/models/load.ts'
import type { Model } from '../../../evals/models/registry.ts'
import { openBase } from '../../../evals/measure/base.ts'
import { trainingData } from '../../../evals/measure/sources.ts'
import { collectRows } from '../../../evals/sweeps/cells/cell-measures.ts'
import { relativeError } from '../../doubles/models/safetensors.ts'
import { writeTinyCheckpoint } from '../../doubles/models/tiny-checkpoint.ts'
import { freshFolder } from '../../doubles/runs/command-line.ts'

const folder = freshFolder()
const path = await writeTinyCheckpoint(join(folder, 'base'), {
  ...{ tokenizer: 'byte', hiddenSize: 32 },
})
const base = await openBase(path, { name: 'cpu', threads: 1 }, 4)
afterAll(() => base.open.close())
const { signal } = new AbortController()
const training = {
  ...TrainingConfig.parse({}),
  steps: 1,
  batchSize: 2,
  maxTokens: 256,
  warmupSteps: 0,
}
const { conversations, title } = await trainingData('house-benign')
const few = { title, conversations: conversations.slice(0, 4) }
const { examples } = await fittedExamples(base.open, few, training, signal)

async function audited(name: string, config: object) {
  const { rows, emit } = collectRows()
  const context: JobContext = {
    ...{ emit, seal: () => undefined, flush: () => undefined, workspace: freshFolder(), signal },
  }
  const finished = await runArm(
    base,
    {
      ...{
        arm: name,
        method: bindMethod({ name, config: { ...config } }),
        seed: 0,
        training,
        examples,
      },
      ...{ dataDigest: '', evaluateAt: [0, 1], evalTogether: true },
      evaluation: {
        benchmarks: [],
        neutral: [{ key: 'text', text: 'the pool is blue' }],
        finished: [],
      },
    },
    context,
  )
  const losses = new Map(
    rows.metrics
      .filter((row) => row.name === 'neutral/loss')
      .map(({ arm, step, value }) => [`${arm} ${step}`, value]),
  )
  return { rows, losses, finished }
}

const plain = await audited('lora', { rank: 2 })

test('a cut model is asked before it is recovered too, as an arm of its own', async () => {
  const { rows, losses, finished } = await audited('loram', { rank: 2, prune: 0.5 })
  expect([...losses.keys()]).toEqual(['loram 0', 'loram:pruned 0', 'loram 1', 'loram:pruned 1'])
  // Recovered it begins as the base, which the cut model is not.
  expect(losses.get('loram 0')).toBe(plain.losses.get('lora 0'))
  expect(losses.get('loram:pruned 0')).not.toBe(losses.get('loram 0'))
  expect(new Set([...losses.values()]).size).toBe(4)
  const gone = rows.metrics.filter(({ name }) => name === PRUNED_SHARE)
  expect(gone.map(({ arm, step, value }) => [arm, step, value])).toEqual([
    ['loram:pruned', 0, 0.5],
    ['loram:pruned', 1, 0.5],
  ])
  const titles = new Map(rows.subjects.map(({ arm, title: own }) => [arm, own]))
  expect(titles.get('loram:pruned')).toMatch(/before it is recovered/u)
  expect(tunedOf(base, finished).weights.lowRank?.size).toBe(14)
})

test('what LQ-LoRA ends in are whole weights, other than the base from the start', async () => {
  const { losses, finished } = await audited('lq-lora', { rank: 2 })
  expect(losses.get('lq-lora 0')).not.toBe(plain.losses.get('lora 0'))
  const { weights } = tunedOf(base, finished)
  expect(weights.lowRank).toBeUndefined()
  const name = 'model.layers.0.self_attn.q_proj.weight'
  expect(weights.read(name)).not.toEqual(base.weights.get(name))
  expect(weights.read('model.norm.weight')).toEqual(base.weights.get('model.norm.weight'))
})

describe('what LoRAPrune ends in', () => {
  const text = { key: 'text', ids: [5, 9, 4, 7, 30, 11, 3, 8], from: 1 }
  const logProbs = async (model: Model, frozen: ReadonlyMap<string, Float32Array>) => {
    const session = await openCached({ model, frozen }, base.device, 16)
    const [found] = await scoreTexts([text], {
      ...{ session, varying: {}, padId: 0, batchSize: 1, signal },
    })
    await session.release()
    return found!
  }
  const exported = async (more: object) => {
    const settings = { rank: 2, prune: 0.5, pruneWarmUp: 0, pruneCoolDown: 0, ...more }
    const { finished, rows } = await audited('lora-prune', settings)
    const gone = rows.metrics.flatMap(({ name, value }) => (name === PRUNED_SHARE ? value : []))
    const [events, workspace] = [[] as JobEventBody[], freshFolder()]
    const context = { emit: (body: JobEventBody) => void events.push(body), workspace, signal }
    const none = { reasonToDelete: null, reasonToKeep: null }
    await exportKept(base, finished, none, { ...context, seal: () => {}, flush: () => {} })
    const kept = events.find((event) => event.type === 'weights-kept')!
    const loaded = await loadModel(dirname((kept as { path: string }).path))
    const { weights } = tunedOf(base, finished)
    const whole = new Map([...base.model.weights.keys()].map((name) => [name, weights.read(name)]))
    const said = events.flatMap((event) => (event.type === 'log' ? event.message : []))
    const expected = await logProbs(base.model, whole)
    expect(relativeError(await logProbs(loaded.model, loaded.weights), expected)).toBeLessThan(1e-5)
    await loaded.open.close()
    const shapeOf = (name: string) =>
      loaded.model.weights.get(`model.layers.0.${name}.weight`)!.shape
    return { said, config: loaded.open.checkpoint.config, shapeOf, gone }
  }

  test('is written in its smaller shapes where all layers have one size', async () => {
    const { said, config, shapeOf, gone } = await exported({ pruneEdges: true })
    expect(gone).toEqual([0, 0.5])
    expect(said).toEqual([expect.stringContaining('in the smaller shapes')])
    expect(config).toMatchObject({
      ...{ num_attention_heads: 2, num_key_value_heads: 1, head_dim: 8, intermediate_size: 12 },
    })
    expect(['self_attn.q_proj', 'self_attn.o_proj', 'mlp.down_proj'].map(shapeOf)).toEqual([
      ...[
        [16, 32],
        [32, 16],
        [32, 12],
      ],
    ])
  })

  test('and with zeros where they differ, which is said', async () => {
    const { said, config, shapeOf } = await exported({})
    expect(said).toEqual([expect.stringMatching(/zeros where groups are gone.*differ in size/u)])
    expect(config).toMatchObject({ num_attention_heads: 4, intermediate_size: 24 })
    expect(shapeOf('mlp.down_proj')).toEqual([32, 24])
  })
})
