/** @file MGPO's perturbation by hand (docs/methods/ggpo-mgpo.md). */
import { describe, expect, test } from 'vitest'
import { mgpo } from '../../../../evals/finetune/methods/mgpo.ts'
import { type BoundMethod, type Perturbation, bind } from '../../../../evals/finetune/method.ts'
import { newOptimizerState, train } from '../../../../evals/finetune/training/train.ts'
import type { TrainingSession } from '../../../../evals/finetune/training/session.ts'
import {
  LAYER,
  normals,
  normOf,
  productOf,
  randomPair,
  stateOf,
} from '../../../doubles/training/one-pair.ts'
import { tinyPlan } from '../../../doubles/training/tiny-training.ts'

const config = (more: object) => mgpo.config.parse({ rank: 2, alpha: 3, ...more })
const SCALE = 1.5

test('m = (3, 4), ρ = .05, ḡ = 2 give ε = (.015, .02)', () => {
  const one = { rows: 1, columns: 1, rank: 1, W: new Float32Array(1) }
  const state = stateOf(
    { ...one, A: new Float32Array(1), B: new Float32Array(1) },
    { step: 1, firstMoment: Float32Array.of(3, 4), memory: Float32Array.of(2) },
  )
  const { parameters } = mgpo.hooks(mgpo.config.parse({ rank: 1, rho: 0.05 })).perturb!(state)!
  expect(parameters![0]).toBeCloseTo(0.015, 8)
  expect(parameters![1]).toBeCloseTo(0.02, 8)
  expect(normOf(parameters!)).toBeCloseTo(0.025, 8)
})

test('ḡ begins at the first norm and is an average from then on; nothing moves in the first step', () => {
  const state = stateOf(randomPair(4, 3, 2), { memory: new Float32Array(1) })
  const { perturb, step } = bind(mgpo, config({}))
  expect(perturb!(state)).toBeUndefined()
  const gradient = normals('gradient', state.parameters.length)
  const first = step!({ ...state, gradient })
  expect(first.gradient).toBe(gradient)
  expect(first.memory![0]).toBeCloseTo(normOf(gradient), 5)
  const next = step!({ ...state, gradient, step: 1, memory: Float32Array.of(10) })
  expect(next.memory![0]).toBeCloseTo(0.9 * 10 + 0.1 * normOf(gradient), 5)
})

describe('the released code’s settings', () => {
  const code = config({
    rho: 0.3,
    space: 'weight',
    scope: 'layer',
    sign: 'descend',
    inverseCap: 10,
  })
  const pair = randomPair(4, 3, 2)
  const firstMoment = normals('moment', 6 + 8)
  const [mA, mB] = [firstMoment.subarray(0, 6), firstMoment.subarray(6)]
  const left = productOf(pair, mB, pair.A)
  const right = productOf(pair, pair.B, mA)
  const D = left.map((x, i) => SCALE * (x + right[i]!))

  test.each([
    [2, 1 / 2],
    [0.01, 10],
  ])('ḡ = %d: W moves by −ρ·D/‖D‖·%d', (mean, inverse) => {
    const state = stateOf(pair, { step: 3, firstMoment, memory: Float32Array.of(mean) })
    const { inputs, parameters } = mgpo.hooks(code).perturb!(state)!
    expect(parameters).toBeUndefined()
    inputs!.get(`${LAYER}.weight`)!.forEach((w, i) => {
      expect(w - pair.W[i]!).toBeCloseTo((-0.3 * inverse * D[i]!) / normOf(D), 5)
    })
  })

  test('ḡ is of the weight’s gradient, s·(∇B·A + B·∇A)', () => {
    const state = stateOf(pair, { memory: new Float32Array(1) })
    const { memory } = mgpo.hooks(code).step!({ ...state, gradient: firstMoment })
    expect(memory![0]! / normOf(D)).toBeCloseTo(1, 5)
  })
})

/** L = ½·Σ h_i·θ_i² as a session, every point at which a gradient was asked being kept. */
function bowl(curvatures: readonly number[], start: readonly number[]) {
  const shape = stateOf(randomPair(2, 2, 1)).layout
  const parameters = Float32Array.from(start)
  const asked: Float32Array[] = []
  const session = {
    ...{ table: shape.table, layout: shape, prepared: {}, nodes: 0 },
    weights: new Map(),
    memorySize: 1,
    parameters,
    setParameters: () => undefined,
    release: () => Promise.resolve(),
    gradients(_: unknown, perturbation?: Perturbation) {
      const at = (perturbation?.parameters ?? parameters).slice()
      asked.push(at)
      const loss = at.reduce((sum, θ, i) => sum + 0.5 * curvatures[i]! * θ * θ, 0)
      return Promise.resolve({ loss, flat: at.map((θ, i) => curvatures[i]! * θ) })
    },
  }
  return { session: session as Omit<TrainingSession, 'method'>, asked, parameters }
}

test('T3, T6: on a bowl the gradient is H(θ + ε), with ‖ε‖ = ρ/ḡ from the second step on', async () => {
  const curvatures = [1, 2, 5, 10]
  const { session, asked, parameters } = bowl(curvatures, [1, -1, 0.5, 2])
  const state = newOptimizerState(parameters, 1)
  const before: { θ: Float32Array; m: Float32Array; ḡ: number }[] = []
  const bound = bind(mgpo, { rank: 1, rho: 0.5, gradientMemory: 0.8 })
  const method: BoundMethod = {
    ...bound,
    perturb(seen) {
      const { parameters: θ, firstMoment, memory } = seen
      before.push({ θ: θ.slice(), m: firstMoment.slice(), ḡ: memory[0]! })
      return bound.perturb!(seen)
    },
  }
  const examples = [{ ids: [1, 2], labelled: [false, true] }]
  const config = tinyPlan({ steps: 8, batchSize: 1, warmupSteps: 0, weightDecay: 0 })
  const rest = { signal: new AbortController().signal, lastGood: () => 'none' }
  const plan = { session: { ...session, method }, examples, padId: 0, config, seed: 1, ...rest }
  const reports = []
  for await (const report of train(state, plan)) reports.push(report)

  const norms = asked.map((at) => normOf(at.map((θ, i) => curvatures[i]! * θ)))
  let mean = norms[0]!
  expect(asked[0]).toEqual(before[0]!.θ)
  for (let t = 1; t < 8; t++) {
    const { θ, m, ḡ } = before[t]!
    expect(ḡ / mean).toBeCloseTo(1, 6)
    const ε = asked[t]!.map((at, i) => at - θ[i]!)
    expect(normOf(ε) / (0.5 / ḡ)).toBeCloseTo(1, 4)
    // Up along the momentum.
    const along = ε.reduce((sum, x, i) => sum + x * m[i]!, 0)
    expect(along / (normOf(ε) * normOf(m))).toBeCloseTo(1, 4)
    // The gradient that the optimiser was given is that of the moved point.
    expect(reports[t]!.gradientNorm / norms[t]!).toBeCloseTo(1, 6)
    mean = 0.8 * mean + 0.2 * norms[t]!
  }
})
