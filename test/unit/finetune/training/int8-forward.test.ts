/** @file A forward pass in int8: near the exact one in every family and method that takes it, the same bits twice, refused elsewhere. */
import { createHash } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  precisionOf,
  requireInt8Forward,
  storageFor,
  type Forward,
} from '../../../../evals/finetune/training/int8-forward.ts'
import { findMethod } from '../../../../evals/finetune/registry.ts'
import type { Model } from '../../../../evals/models/registry.ts'
import {
  LazyWeights,
  quantise,
  storageOf,
  type Precision,
} from '../../../../evals/models/weights/small-weights.ts'
import { sumsExactly } from '../../../../evals/runtime/int8-sums.ts'
import {
  GOLDEN_ENCODERS,
  GOLDEN_FAMILIES,
  openGolden,
} from '../../../doubles/models/golden-llama.ts'
import { filesUnder, textOf } from '../../../doubles/imports.ts'
import { gradientOf, type Differentiated } from '../../../doubles/training/one-gradient.ts'
import { tinyModel } from '../../../doubles/models/tiny-model.ts'
import { sampled } from '../../../doubles/tier.ts'

type Based = Pick<Differentiated, 'model' | 'weights'>

/** The same model, its matrices kept small. */
function keptIn(precision: Precision, { model, weights }: Based): Based {
  const small = new Map(
    [...model.weights.values()].flatMap((spec) => {
      const storage = storageOf(spec, precision)
      const data = weights.get(spec.name)!
      return storage ? [[spec.name, quantise(data, spec.shape[0]!, storage)] as const] : []
    }),
  )
  const kept = new LazyWeights(model.weights.keys(), small, (name) => weights.get(name)!)
  return { model, weights: kept }
}

const tiny = keptIn('int8', tinyModel())
const lora = findMethod('lora')

async function pair(asked: Differentiated) {
  const of = (forward: Forward) => gradientOf({ ...asked, forward })
  return [await of('exact'), await of('int8')] as const
}

const lengthOf = (numbers: Float32Array) => Math.hypot(...numbers)
const apart = (a: Float32Array, b: Float32Array) =>
  lengthOf(a.map((value, i) => value - b[i]!)) / lengthOf(a)

/** Rounded to 127 steps, a row of normal numbers is off by 0.7 %; through a few small layers that grows. */
const NEAR = 0.15
/** A token that is nearly as near to two experts may choose the other one. */
const NEAR_OF_EXPERTS = 0.5

async function expectNear(asked: Differentiated, near = NEAR) {
  const [exact, ours] = await pair(asked)
  expect(lengthOf(exact.flat)).toBeGreaterThan(1e-4)
  expect(Math.abs(ours.loss - exact.loss)).toBeLessThan(0.02 * Math.abs(exact.loss))
  expect(apart(exact.flat, ours.flat)).toBeLessThan(near)
  expect(ours.flat).not.toEqual(exact.flat)
}

describe('where sums are exact', () => {
  beforeEach(async ({ skip }) => {
    if (!(await sumsExactly()))
      skip('this processor cuts sums of int8 off, and the flag is refused')
  })

  test.each(sampled([...GOLDEN_FAMILIES, ...GOLDEN_ENCODERS.classes], 8))(
    'loss and gradients of %s are near the exact ones',
    async (name) => {
      const near = name.startsWith('mixtral') ? NEAR_OF_EXPERTS : NEAR
      await expectNear({ ...keptIn('int8', await openGolden(name)), method: lora }, near)
    },
  )

  test.each(['dora', 'lora-fa', 'lora-plus', 'rslora', 'allora'])('%s takes it', (name) =>
    expectNear({ ...tiny, method: findMethod(name) }),
  )

  test('twice, and with blocks computed twice, the bits are the same', async () => {
    const asked = { ...tiny, method: lora, forward: 'int8' } as const
    const [once, again] = [await gradientOf(asked), await gradientOf(asked)]
    const checkpointed = await gradientOf({ ...asked, checkpointing: true })
    for (const { loss, flat } of [again, checkpointed]) {
      expect(loss).toBe(once.loss)
      expect(flat).toEqual(once.flat)
    }
    expect(checkpointed.nodes).toBeGreaterThan(once.nodes)
  })

  /** From a processor with AVX-512, and from the same with AVX2's kernels, as `processors.test.ts` has them. */
  const DIGEST = 'fbf9ebd5bff5fe09bcab1511c80f9bf0e94141cc9ac34de434fae31b1c38ece0'

  test('the bits are those of other x86-64 processors', async ({ skip }) => {
    if (process.arch !== 'x64') return skip(`rounding on ${process.arch} is its own`)
    const wide = tinyModel({
      hidden: 72,
      heads: 6,
      kvHeads: 2,
      headDim: 12,
      inner: 180,
      vocab: 301,
    })
    const asked = { ...keptIn('int8', wide), method: lora, forward: 'int8' } as const
    const { loss, flat } = await gradientOf(asked)
    const found = createHash('sha256').update(Float64Array.of(loss)).update(flat).digest('hex')
    expect(found).toBe(DIGEST)
  })

  test('a wide head’s loss in pieces is that of one', async () => {
    const asked = { ...tiny, method: lora, forward: 'int8' } as const
    const [whole, cut] = [await gradientOf(asked), await gradientOf({ ...asked, labelled: 4e5 })]
    expect(cut.nodes).toBeGreaterThan(whole.nodes)
    expect(apart(whole.flat, cut.flat)).toBeLessThan(2e-6)
  })
})

describe('what multiplies in int8', () => {
  const multiplied = ({ model, weights }: Based) => {
    const storage = storageFor({ model, weights, forward: 'int8' })
    return [...model.weights.keys()].filter((name) => storage(name) === 'product:int8')
  }

  test('is the layers of the blocks, not embedding, head or norms', () => {
    const names = multiplied(tiny)
    expect(names).toHaveLength(7 * 2)
    expect(names.every((name) => /layers\.\d+\..*_proj\.weight$/u.test(name))).toBe(true)
  })

  test('is no router that chooses experts', async () => {
    const names = multiplied(keptIn('int8', await openGolden('mixtral-experts')))
    expect(names.some((name) => name.includes('.experts.'))).toBe(true)
    expect(names.filter((name) => name.includes('.gate.'))).toEqual([])
  })

  test('is nothing of a base in float16 or float32, nor where nobody asked', () => {
    expect(multiplied(keptIn('fp16', tinyModel()))).toEqual([])
    expect(multiplied(tinyModel())).toEqual([])
    const storage = storageFor(tiny)
    expect([...tiny.model.weights.keys()].map(storage)).not.toContain('product:int8')
  })
})

test('only what trains may ask for such products: evaluation and export never do', () => {
  const naming = filesUnder('evals/**/*.ts').filter((path) => textOf(path).includes('product:int8'))
  expect(naming.sort()).toEqual([
    'evals/finetune/training/int8-forward.ts',
    'evals/graph/ops/int8-product.ts',
    'evals/graph/storage/stored.ts',
    'evals/runtime/int8-sums.ts',
  ])
  const asking = filesUnder('evals/**/*.ts').filter((path) => /\bstorageFor\(/u.test(textOf(path)))
  expect(asking.sort()).toEqual([
    'evals/finetune/training/int8-forward.ts',
    'evals/finetune/training/observer.ts',
  ])
})

describe('what cannot be', () => {
  const model: Pick<Model, 'graph'> = {}
  const able = { model, device: { name: 'cpu' }, precision: 'int8' } as const
  const yes = () => Promise.resolve(true)

  test.each([
    [{ precision: 'fp32' }, /kept in fp32/, /--base-precision int8/],
    [{ precision: 'fp16' }, /kept in fp16/, /--base-precision int8/],
    [{ device: { name: 'webgpu' } }, /webgpu/, /--device cpu/],
    [{ model: { graph: {} as never } }, /exported graph/, /Leave --forward int8 out/],
    [{ sums: () => Promise.resolve(false) }, /16 bits/, /touchstone doctor/],
  ] as const)('is refused, with what to do: %o', async (other, why, remedy) => {
    await expect(requireInt8Forward({ ...able, sums: yes, ...other })).rejects.toMatchObject({
      code: 'training.approximate-forward',
      message: expect.stringMatching(why) as string,
      remedy: expect.stringMatching(remedy) as string,
    })
  })

  test('all else can be', async () => {
    await expect(requireInt8Forward({ ...able, sums: yes })).resolves.toBeUndefined()
  })

  test.each(['fp32', 'fp16'] as const)('a session over %s refuses too', async (precision) => {
    const based = precision === 'fp32' ? tinyModel() : keptIn(precision, tinyModel())
    expect(precisionOf(based.weights)).toBe(precision)
    const opening = gradientOf({ ...based, method: lora, forward: 'int8' })
    await expect(opening).rejects.toMatchObject({ code: 'training.approximate-forward' })
  })
})
