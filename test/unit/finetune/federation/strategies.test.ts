/** @file Laws of every strategy, and the closed forms that each claims. */
import { describe, expect, test } from 'vitest'
import {
  aggregationBias,
  exactMean,
  relativeBias,
} from '../../../../evals/finetune/federation/products.ts'
import { boundStrategy, STRATEGIES } from '../../../../evals/finetune/federation/registry.ts'
import type { Aggregated } from '../../../../evals/finetune/federation/strategy.ts'
import { productOf } from '../../../../evals/finetune/merging/low-rank.ts'
import { randomStream } from '../../../../evals/statistics/random.ts'
import { NAME_A, NAME_B, roundOf, type Pair } from '../../../doubles/training/federated-round.ts'

const [ROWS, COLUMNS, RANK] = [6, 5, 2]
const WEIGHTS = [0.1, 0.2, 0.25, 0.45]

function pair(
  label: string,
  { rank = RANK, A }: { rank?: number; A?: readonly number[] } = {},
): Pair {
  const { normal } = randomStream(3, label)
  const drawn = (length: number) => Array.from({ length }, normal)
  return { A: A ?? drawn(rank * COLUMNS), B: drawn(ROWS * rank) }
}

const BEFORE = pair('before')
const CLIENTS = WEIGHTS.map((_, client) => pair(`client ${client}`))
const sizes = { rows: ROWS, columns: COLUMNS, before: BEFORE }
const names = STRATEGIES.map(({ name }) => name)
const aggregate = (name: string, round: ReturnType<typeof roundOf>, settings = {}) =>
  boundStrategy(name, { [name]: settings }).aggregate(round)

/** B·A of the server `[rows, columns]`, whatever form it has. */
function productIn({ tensors, changes }: Aggregated): Float64Array {
  if (changes) return changes.get('layer')!
  const [A, B] = [tensors.get(NAME_A)!, tensors.get(NAME_B)!]
  return productOf(B, A, ROWS, A.length / COLUMNS, COLUMNS)
}

const distance = (a: Float64Array, b: Float64Array) =>
  Math.hypot(...a.map((x, t) => x - b[t]!)) / Math.hypot(...a)

const meanOf = (clients: readonly Pair[], weights: readonly number[]) =>
  exactMean(roundOf({ ...sizes, clients, weights }).layers[0]!)

describe.each(names)('%s', (name) => {
  test('does not depend on the order of clients', () => {
    const order = [2, 0, 3, 1]
    const round = roundOf({ ...sizes, clients: CLIENTS, weights: WEIGHTS })
    const turned = roundOf({
      ...sizes,
      clients: order.map((client) => CLIENTS[client]!),
      weights: order.map((client) => WEIGHTS[client]!),
    })
    const [one, other] = [round, turned].map((each) => productIn(aggregate(name, each)))
    expect(distance(one!, other!)).toBeLessThan(1e-12)
  })

  test('of one client, or of several that agree, is what they sent', () => {
    const exact = meanOf([CLIENTS[0]!], [1])
    for (const count of [1, 3]) {
      const clients = Array.from({ length: count }, () => CLIENTS[0]!)
      const made = aggregate(name, roundOf({ ...sizes, clients }))
      expect(distance(exact, productIn(made))).toBeLessThan(1e-10)
    }
  })

  test('takes different ranks, or says whose differs', () => {
    const clients = [pair('wide'), pair('narrow', { rank: 1 })]
    const round = roundOf({ ...sizes, clients })
    const run = () => productIn(aggregate(name, round))
    if (boundStrategy(name, {}).mixesRanks) expect(run()).toHaveLength(ROWS * COLUMNS)
    else expect(run).toThrow(expect.objectContaining({ code: 'federation.ranks-differ' }))
  })
})

test.each(['ffa-lora', 'flora'])('%s loses nothing of Σ p B A', (name) => {
  // One A for all, as where it is frozen.
  const clients = CLIENTS.map(({ B }) => ({ A: BEFORE.A, B }))
  const round = roundOf({ ...sizes, clients, weights: WEIGHTS })
  const bias = aggregationBias(round.layers[0]!, productIn(aggregate(name, round)))
  expect(relativeBias([bias])).toBeLessThan(1e-12)
})

test('fed-sb loses nothing: the mean of R between a fixed B and A', () => {
  // R `[r, r]` stands in the place of B, and B of the layer is the identity: Σ p (R A) = (Σ p R) A.
  const clients = CLIENTS.map(({ B }) => ({ A: BEFORE.A, B }))
  const round = roundOf({ ...sizes, clients, weights: WEIGHTS })
  const made = productIn(aggregate('fed-sb', round))
  expect(distance(meanOf(clients, WEIGHTS), made)).toBeLessThan(1e-12)
})

test('FedIT misses the covariance of B and A: Σ p BA − B̄Ā = Σ p (B − B̄)(A − Ā)', () => {
  const round = roundOf({ ...sizes, clients: CLIENTS, weights: WEIGHTS })
  const made = aggregate('fedit', round)
  const centred = CLIENTS.map(({ A, B }) => ({
    A: A.map((x, t) => x - made.tensors.get(NAME_A)![t]!),
    B: B.map((x, t) => x - made.tensors.get(NAME_B)![t]!),
  }))
  const exact = meanOf(CLIENTS, WEIGHTS)
  const missed = exact.map((x, t) => x - productIn(made)[t]!)
  expect(distance(meanOf(centred, WEIGHTS), missed)).toBeLessThan(1e-12)
  const bias = relativeBias([aggregationBias(round.layers[0]!, productIn(made))])
  expect(bias).toBeCloseTo(Math.hypot(...missed) / Math.hypot(...exact), 12)
  expect(bias).toBeGreaterThan(0.1)
})

describe('lora-fair', () => {
  const fair = (round: ReturnType<typeof roundOf>, settings = {}) =>
    aggregate('lora-fair', round, settings)

  test('the worked example', () => {
    const clients = [
      { A: [1, 0], B: [2, 0] },
      { A: [0, 2], B: [1, 2] },
    ]
    const before = { A: [0, 0], B: [0, 0] }
    const round = roundOf({ rows: 2, columns: 2, before, clients })
    const { tensors } = fair(round, { ridge: 0.01 })
    const B = tensors.get(NAME_B)!
    expect(B[0]! - 1.5).toBeCloseTo(-0.297619, 6)
    expect(B[1]! - 1).toBeCloseTo(0.595238, 6)
    const residual = [1, 1, 0, 2].map((x, t) => x - B[t >> 1]! * [0.5, 1][t & 1]!)
    expect(Math.hypot(...residual)).toBeCloseTo(1.000018, 6)
  })

  test.each([1e-3, 0.1, 10])('comes no farther from Σ p BA than FedIT, λ = %d', (ridge) => {
    const round = roundOf({ ...sizes, clients: CLIENTS, weights: WEIGHTS })
    const exact = meanOf(CLIENTS, WEIGHTS)
    const [plain, better] = [aggregate('fedit', round), fair(round, { ridge })].map((made) =>
      distance(exact, productIn(made)),
    )
    expect(better).toBeLessThan(plain!)
  })

  test('a large λ leaves FedIT, and clients that agree need no correction', () => {
    const round = roundOf({ ...sizes, clients: CLIENTS, weights: WEIGHTS })
    const plain = productIn(aggregate('fedit', round))
    expect(distance(plain, productIn(fair(round, { ridge: 1e9 })))).toBeLessThan(1e-8)
    const alike = roundOf({ ...sizes, clients: CLIENTS.map(() => CLIENTS[0]!) })
    const corrected = fair(alike, { correction: 'cosine-sgd', ridge: 0.01 })
    expect(distance(meanOf([CLIENTS[0]!], [1]), productIn(corrected))).toBeLessThan(1e-3)
  })

  test('by cosine it turns nearer to Σ p BA, and stays where there is no direction', () => {
    const round = roundOf({ ...sizes, clients: CLIENTS, weights: WEIGHTS })
    const exact = meanOf(CLIENTS, WEIGHTS)
    const cosine = (made: Float64Array) =>
      exact.reduce((sum, x, t) => sum + x * made[t]!, 0) /
      Math.hypot(...exact) /
      Math.hypot(...made)
    const turned = fair(round, { correction: 'cosine-sgd' })
    expect(cosine(productIn(turned))).toBeGreaterThan(cosine(productIn(aggregate('fedit', round))))
    const zeros = { A: BEFORE.A, B: BEFORE.B.map(() => 0) }
    const still = fair(roundOf({ ...sizes, clients: [zeros] }), { correction: 'cosine-sgd' })
    expect(still.tensors.get(NAME_B)).toEqual(new Float64Array(ROWS * RANK))
  })
})

test('flexlora with less than its rank learnt keeps directions that can still learn', () => {
  const one = pair('one', { rank: 1 })
  const { tensors } = aggregate('flexlora', roundOf({ ...sizes, clients: [one] }))
  expect(tensors.get(NAME_A)).toHaveLength(RANK * COLUMNS)
  const exact = meanOf([one], [1])
  expect(distance(exact, productIn({ tensors }))).toBeLessThan(1e-12)
})

test('a median and a trimmed mean stay among seven clients where the eighth is far away', () => {
  const near = Array.from({ length: 7 }, (_, client) => pair(`near ${client}`))
  const far = { A: near[0]!.A.map(() => 1e6), B: near[0]!.B.map(() => -1e6) }
  const round = roundOf({ ...sizes, clients: [...near, far] })
  const largest = (name: string) =>
    Math.max(...[...aggregate(name, round).tensors.values()].flatMap((x) => [...x.map(Math.abs)]))
  const bound = Math.max(...near.flatMap(({ A, B }) => [...A, ...B].map(Math.abs)))
  for (const name of ['coordinate-median', 'trimmed-mean'])
    expect(largest(name)).toBeLessThanOrEqual(bound)
  expect(largest('norm-clipping')).toBeLessThan(10 * bound)
  expect(largest('fedit')).toBeGreaterThan(1e5)
})
