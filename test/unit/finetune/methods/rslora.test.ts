/** @file rsLoRA (docs/methods/lora.md): the update's size does not depend on the rank. */
import { bind } from '../../../../evals/finetune/method.ts'
import { expect, test } from 'vitest'
import { layerByHand } from '../../../doubles/training/one-layer.ts'
import { findMethod } from '../../../../evals/finetune/registry.ts'
import { scaleOf } from '../../../../evals/models/formats/peft-config.ts'
import { randomStream } from '../../../../evals/statistics/random.ts'
import { IS_LONG } from '../../../doubles/tier.ts'

const SIZE = 64
/** Each rank with its draws: few ranks vary more from draw to draw. */
const RANKS = IS_LONG ? [4, 16, 64, 256] : [4, 16, 64]
const DRAWS = [4000, 2000, 1000, 1000]

/** √ of the mean of (B·A·x)² over fresh A, B and x with entries N(0, 1). */
function rmsOfProduct(rank: number, draws: number): number {
  const { normal } = randomStream(3, `rank ${rank}`)
  const normals = (length: number) => Float64Array.from({ length }, () => normal())
  let sum = 0
  for (let draw = 0; draw < draws; draw++) {
    const x = normals(SIZE)
    const h = Float64Array.from({ length: rank }, () => x.reduce((y, xj) => y + xj * normal(), 0))
    for (let i = 0; i < SIZE; i++) sum += h.reduce((y, hj) => y + hj * normal(), 0) ** 2
  }
  return Math.sqrt(sum / draws / SIZE)
}

test('at one α the update keeps its size over ranks, where LoRA’s falls as 1/√r', () => {
  const products = RANKS.map((rank, i) => rmsOfProduct(rank, DRAWS[i]!))
  const sizes = (name: string) =>
    RANKS.map((rank, i) => {
      const method = findMethod(name)
      const { config } = bind(method, { rank, alpha: 16 }).toPeft!(new Map(), '')
      return products[i]! * scaleOf(config, 'model.layers.0.self_attn.q_proj')
    })
  const stable = sizes('rslora')
  const falling = sizes('lora')
  for (const [i, rank] of RANKS.entries()) {
    expect(Math.abs(stable[i]! / stable[0]! - 1), `rank ${rank}`).toBeLessThan(0.05)
    const expected = Math.sqrt(RANKS[0]! / rank)
    expect(Math.abs(falling[i]! / falling[0]! / expected - 1), `rank ${rank}`).toBeLessThan(0.05)
  }
})

test('patterns give a module its own α/√r', async () => {
  const config = { rank: 8, alpha: 16, rankPattern: ['q_proj=1'], alphaPattern: ['q_proj=3'] }
  const parameters = { 'lora_A.weight': [[1, 0]], 'lora_B.weight': [[2], [0]] }
  const W = [
    [0, 0],
    [0, 1],
  ]
  const { merged } = await layerByHand(findMethod('rslora'), config, { W, parameters })
  expect(merged).toEqual([6, 0, 0, 1])
})
