/** @file A base that is kept small is another base, and is that one exactly: trained and asked, it gives what its own weights in float32 give. */
import { describe, expect, test, vi } from 'vitest'
import { bindMethod } from '../../../../evals/finetune/registry.ts'
import { makeBatch } from '../../../../evals/finetune/training/dataset.ts'
import { openTraining } from '../../../../evals/finetune/training/train-graph.ts'
import { emptyCache, openCached } from '../../../../evals/inference/cached-graph.ts'
import { prefill } from '../../../../evals/inference/feeds.ts'
import {
  keptData,
  LazyWeights,
  overlaid,
  quantise,
  storageOf,
  dequantise,
  type Precision,
  type SmallWeight,
  type SmallWeights,
} from '../../../../evals/models/weights/small-weights.ts'
import { asNf4, NF4_BYTES } from '../../../../evals/models/weights/nf4-weights.ts'
import { normalFloat } from '../../../../evals/models/weights/compression/normal-float.ts'
import { adaptedWeights } from '../../../../evals/models/weights/tuned-weights.ts'
import { tinyModel } from '../../../doubles/models/tiny-model.ts'
import { tinyExamples } from '../../../doubles/training/tiny-training.ts'
import { fc } from '../../../doubles/properties.ts'

const device = { name: 'cpu', threads: 1 } as const
const tiny = tinyModel()
const examples = tinyExamples(tiny.options.vocab)

/** The tiny model's matrices kept small, and the same as float32 twice: made when asked for, and in memory. */
function kept(precision: Precision) {
  const small: SmallWeights = new Map(
    [...tiny.model.weights.values()].flatMap((spec) => {
      const storage = storageOf(spec, precision)
      const data = tiny.weights.get(spec.name)!
      return storage ? [[spec.name, quantise(data, spec.shape[0]!, storage)] as const] : []
    }),
  )
  const read = (name: string) => {
    const own = small.get(name)
    return own ? dequantise(own) : tiny.weights.get(name)!
  }
  const names = [...tiny.model.weights.keys()]
  return {
    small,
    made: new LazyWeights(names, small, (name) => tiny.weights.get(name)!),
    whole: new Map(names.map((name) => [name, read(name)])),
  }
}

const training = (method: string, weights: ReadonlyMap<string, Float32Array>) =>
  openTraining({
    model: tiny.model,
    weights,
    method: bindMethod({ name: method, config: { rank: 2 } }),
    ...{ seed: 3, maxPositions: 32, device, data: { examples, padId: 0 } },
  })

describe('int8', () => {
  test('is off by half a step of its row at most, and keeps zeros', () => {
    const rows = fc.array(fc.float({ noNaN: true, min: -1000, max: 1000 }), {
      minLength: 4,
      maxLength: 40,
    })
    fc.assert(
      fc.property(rows, (values) => {
        const weight = Float32Array.from([...values, ...values.map(() => 0)])
        const small = quantise(weight, 2, 'int8') as { scales: Float32Array } & SmallWeight
        dequantise(small).forEach((value, i) => {
          const step = small.scales[i < values.length ? 0 : 1]!
          // Where a scale rounds to 0 or by much, near float32's smallest number, that rounding is the error.
          const least = 127 * 2 ** -149
          expect(Math.abs(value - weight[i]!)).toBeLessThanOrEqual(0.5001 * step + least)
        })
      }),
      { examples: [[[2 ** -149, 0, 0, 0]]] },
    )
  })

  test('takes a byte a weight', () => {
    const { small } = kept('int8')
    const bytes = [...small.values()].reduce((sum, { data }) => sum + data.byteLength, 0)
    const weights = [...small.keys()].reduce((sum, name) => sum + tiny.weights.get(name)!.length, 0)
    expect(bytes).toBe(weights)
    expect(small.size).toBeGreaterThan(10)
  })
})

describe.each(['int8', 'fp16', 'nf4'] as const)('%s', (precision) => {
  // DoRA asks for the norm of what it changes.
  test.each(['lora', 'dora', 'lora-fa'])(
    '%s: loss and gradients are those of a float32 base of the same weights',
    async (method) => {
      const { made, whole } = kept(precision)
      const [ours, theirs] = [await training(method, made), await training(method, whole)]
      const own = ours.parameters.map((value, i) => value + 0.01 * Math.sin(i))
      ours.setParameters(own)
      theirs.setParameters(own)
      const batch = makeBatch(examples, 0)
      const found = await ours.gradients(batch)
      const expected = await theirs.gradients(batch)
      await Promise.all([ours.release(), theirs.release()])
      expect(Math.abs(found.loss - expected.loss)).toBeLessThan(1e-6)
      const norm = Math.hypot(...expected.flat)
      expect(norm).toBeGreaterThan(1e-3)
      const apart = Math.hypot(...expected.flat.map((value, i) => value - found.flat[i]!))
      expect(apart / norm).toBeLessThan(1e-6)
    },
  )

  test('is another base than the one it was made of', async () => {
    const { made } = kept(precision)
    const [ours, original] = [await training('lora', made), await training('lora', tiny.weights)]
    const batch = makeBatch(examples, 0)
    const [found, expected] = [await ours.gradients(batch), await original.gradients(batch)]
    await Promise.all([ours.release(), original.release()])
    expect(found.loss).not.toBe(expected.loss)
    expect(Math.abs(found.loss - expected.loss)).toBeLessThan(precision === 'nf4' ? 0.2 : 0.05)
  })

  test('answers as a float32 model of the same weights', async () => {
    const { made, whole } = kept(precision)
    const prompts = [{ ids: [3, 5, 8, 2] }, { ids: [7, 1] }]
    const logProbs = async (frozen: ReadonlyMap<string, Float32Array>) => {
      const session = await openCached({ model: tiny.model, frozen }, device, 32)
      const { past, present } = emptyCache(session.cache, 2, 8)
      const { token, logProb } = await session.run(
        'next',
        { ...past, ...prefill(prompts, 4, 0) },
        present,
      )
      await session.release()
      return {
        tokens: [...(token!.data as Int32Array)],
        logProbs: [...(logProb!.data as Float32Array)],
      }
    }
    const found = await logProbs(made)
    const expected = await logProbs(whole)
    expect(found.tokens).toEqual(expected.tokens)
    found.logProbs.forEach((value, i) => expect(value).toBeCloseTo(expected.logProbs[i]!, 5))
  })
})

describe('nf4', () => {
  test('is what `--compress nf4` asks in the linear layers, and takes at most 0.14 of their float32 bytes', () => {
    const { small } = kept('nf4')
    const stored = [...small].filter(([, { storage }]) => storage === 'nf4')
    expect(stored.length).toBe(14)
    for (const [name, own] of stored)
      expect(dequantise(own), name).toEqual(normalFloat(4).roundTrip(tiny.weights.get(name)!, 1))
    const weight = new Float32Array(64 * 256 * 3).map((_, i) => Math.sin(i))
    const { data, scales, steps, least } = asNf4(weight)
    const bytes = [data, scales, steps, least].reduce((sum, part) => sum + part.byteLength, 0)
    expect(bytes / weight.byteLength).toBeLessThan(0.14)
    expect(bytes).toBe(NF4_BYTES * weight.length + least.byteLength)
  })

  test('leaves embedding and head in float16', () => {
    const { small } = kept('nf4')
    const half = [...small].filter(([, { storage }]) => storage === 'float16')
    expect(half.map(([name]) => name)).toEqual(['model.embed_tokens.weight', 'lm_head.weight'])
  })
})

test.each(['full', 'pissa', 'lora-sb', 'ggpo', 'mgpo'])(
  '%s needs the base as it is, and says so',
  async (method) => {
    const { made } = kept('int8')
    await expect(training(method, made)).rejects.toMatchObject({
      code: 'training.small-base',
    })
  },
)

test('weights that are made when asked for are the map that they stand for', () => {
  const { made, whole, small } = kept('fp16')
  expect([...made]).toEqual([...whole])
  expect([made.size, [...made.keys()], [...made.values()]]).toEqual([
    whole.size,
    [...whole.keys()],
    [...whole.values()],
  ])
  expect(made.get('nothing')).toBeUndefined()
  expect(keptData(made, 'nothing:scale')).toBeUndefined()
  const [name] = small.keys()
  const changed = Float32Array.of(1, 2)
  const other = overlaid(
    made,
    new Map([
      [name!, changed],
      ['adapter', changed],
    ]),
  )
  expect([other.get(name!), other.get('adapter'), keptData(other, name!)]).toEqual([
    changed,
    changed,
    changed,
  ])
  expect(keptData(other, [...small.keys()][1]!)).toBeInstanceOf(Float16Array)
})

test('an adapter is held to a base that is kept small without widening a matrix', () => {
  const { made } = kept('nf4')
  const name = 'model.layers.0.self_attn.q_proj'
  const [rows, columns] = tiny.model.weights.get(`${name}.weight`)!.shape as [number, number]
  const part = (shape: [number, number]) => ({ shape, data: new Float32Array(shape[0] * shape[1]) })
  const folderOf = (inner: number) => ({
    config: { base: '', rank: 2, alpha: 2, targetModules: ['q_proj'] },
    tensors: new Map([
      [`${name}.lora_A.weight`, part([2, inner])],
      [`${name}.lora_B.weight`, part([rows, 2])],
    ]),
  })
  const widened = vi.spyOn(made, 'get')
  expect([...adaptedWeights(made, folderOf(columns), 'adapter').changed!]).toEqual([
    `${name}.weight`,
  ])
  expect(() => adaptedWeights(made, folderOf(columns + 1), 'adapter')).toThrow(
    expect.objectContaining({ code: 'adapter.other-base' }),
  )
  expect(widened).not.toHaveBeenCalled()
})
