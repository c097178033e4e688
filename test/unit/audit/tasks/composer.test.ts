/** @file A canvas of two concepts: what regions with weights of their own compute, and where guidance leads. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  composedNetwork,
  type Canvases,
  type ComposedNetwork,
} from '../../../../evals/audit/tasks/composer/composed-network.ts'
import { layoutLoss, type AttentionMaps } from '../../../../evals/models/diffusion/layout-loss.ts'
import {
  isolation,
  patchesOfBox,
  sharesOf,
  type PatchBox,
} from '../../../../evals/models/diffusion/layout.ts'
import { PATCH } from '../../../../evals/models/diffusion/patch-network.ts'
import { DENOISER } from '../../../../evals/models/families/denoiser.ts'
import { randomStream } from '../../../../evals/statistics/random.ts'
import { sineModel } from '../../../doubles/models/sine-model.ts'

const SIDE = 16
const ACROSS = SIDE / PATCH
const [WORDS, OWN] = [
  [1, 2],
  [3, 0],
]
const { model, weights } = sineModel({
  ...{ model_type: DENOISER, network: 'patches', side: SIDE, prompt_length: 2 },
  ...{ prompt_vocabulary: 5, hidden_size: 8, num_hidden_layers: 1, num_attention_heads: 2 },
  num_labels: 2,
})
const state = { model, weights, device: { name: 'cpu', threads: 1 } as const }
/** Other numbers in one layer. */
const concept = new Map(weights)
concept.set(
  'blocks.0.cross_v.weight',
  weights.get('blocks.0.cross_v.weight')!.map((w) => 0.5 - w),
)

const stream = randomStream(3, 'canvas')
const x = Float64Array.from({ length: SIDE ** 2 }, () => stream.normal())
const BOXES: PatchBox[] = [
  [0, 0, 4, 4],
  [4, 4, 8, 8],
]

const canvases = (
  boxes: readonly PatchBox[],
  words: readonly (readonly number[])[],
  canvas: Float64Array = x,
): Canvases => ({
  x: [canvas],
  t: 120,
  prompts: [words],
  layouts: [{ shares: sharesOf(boxes, ACROSS), bias: isolation(boxes, ACROSS) }],
})

const open: ComposedNetwork[] = []
const networkOf = (...regions: (typeof weights)[]) => {
  const network = composedNetwork(state, regions)
  open.push(network)
  return network
}
afterAll(async () => {
  for (const network of open) await network.release()
})

describe('noise', () => {
  let alone: Float32Array
  let one: Float32Array
  beforeAll(async () => {
    alone = (await networkOf(weights).noise(canvases([], [WORDS])))[0]!
    one = (await networkOf(weights, concept).noise(canvases([BOXES[0]!], [WORDS, OWN])))[0]!
  })
  const pixels = (box: PatchBox) =>
    new Set(patchesOfBox(box.map((at) => at * PATCH) as never, SIDE))

  test('outside all boxes is the base’s, inside it is the concept’s', () => {
    const inside = pixels(BOXES[0]!)
    const off = (isIn: boolean) =>
      Math.max(
        ...[...alone.keys()]
          .filter((i) => inside.has(i) === isIn)
          .map((i) => Math.abs(alone[i]! - one[i]!)),
      )
    expect(off(false)).toBeLessThan(1e-6)
    expect(off(true)).toBeGreaterThan(1e-2)
  })

  test('of two equal concepts in one box is that of one', async () => {
    const [box] = BOXES
    const [two] = await networkOf(weights, concept, concept).noise(
      canvases([box!, box!], [WORDS, OWN, OWN]),
    )
    one.forEach((value, i) => expect(two![i]).toBeCloseTo(value, 5))
  })
})

describe('attention of two concepts', () => {
  let network: ComposedNetwork
  let maps: AttentionMaps
  const at = (canvas?: Float64Array) => canvases(BOXES, [WORDS, OWN, OWN], canvas)
  beforeAll(async () => {
    network = networkOf(weights, concept, weights)
    maps = (await network.maps(at()))[0]!
  })

  test('sums to 1 for each patch, and to 0 from one box to the other', () => {
    const n = ACROSS ** 2
    const [first, second] = BOXES.map((box) => patchesOfBox(box, ACROSS))
    for (let query = 0; query < n; query++) {
      const row = maps.self.subarray(query * n, (query + 1) * n)
      expect(row.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 5)
    }
    const across = first!.flatMap((query) => second!.map((key) => maps.self[query * n + key]!))
    expect(Math.max(...across)).toBeLessThan(1e-12)
  })

  test('its losses have the gradient of finite differences', async () => {
    const { gradient } = layoutLoss(maps, BOXES, ACROSS)
    const [slopes] = await network.gradient(at(), [gradient])
    const direction = slopes!.map((slope) => slope / Math.hypot(...slopes!))
    const lossAt = async (step: number) => {
      const moved = x.map((value, i) => value + step * direction[i]!)
      return layoutLoss((await network.maps(at(moved)))[0]!, BOXES, ACROSS).value
    }
    const step = 0.02
    const slope = ((await lossAt(step)) - (await lossAt(-step))) / (2 * step)
    expect(slope / Math.hypot(...slopes!)).toBeCloseTo(1, 1)
  })

  test('steps down the losses lower them each time', async () => {
    let canvas = x
    let before = layoutLoss(maps, BOXES, ACROSS).value
    for (let step = 0; step < 4; step++) {
      const [seen] = await network.maps(at(canvas))
      const { gradient } = layoutLoss(seen!, BOXES, ACROSS)
      const [slopes] = await network.gradient(at(canvas), [gradient])
      canvas = canvas.map((value, i) => value - 0.5 * slopes![i]!)
      const { value } = layoutLoss((await network.maps(at(canvas)))[0]!, BOXES, ACROSS)
      expect(value).toBeLessThan(before)
      before = value
    }
  })
})
