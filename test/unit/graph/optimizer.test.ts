/** @file AdamW and clipping give torch’s numbers, and leave alone what they do not update. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  adamW,
  clipFactor,
  globalNorm,
  type OptimizerState,
} from '../../../evals/graph/optimizer.ts'

interface Fixture {
  readonly learningRate: number
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
  readonly weightDecay: number
  readonly start: readonly number[]
  readonly steps: readonly {
    readonly gradient: readonly number[]
    readonly parameters: readonly number[]
    readonly firstMoment: readonly number[]
    readonly secondMoment: readonly number[]
  }[]
  readonly clip: {
    readonly maxNorm: number
    readonly gradients: readonly (readonly number[])[]
    readonly norm: number
    readonly clipped: readonly (readonly number[])[]
  }
}

const fixture = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../golden/fixtures/adamw.json'), 'utf8'),
) as Fixture

const stateOf = (parameters: readonly number[]): OptimizerState => ({
  parameters: Float32Array.from(parameters),
  firstMoment: new Float32Array(parameters.length),
  secondMoment: new Float32Array(parameters.length),
  step: 0,
})

/** test/golden/README.md: 1e-6 relative, 1e-9 absolute. */
function expectClose(ours: Float32Array, expected: readonly number[], what: string) {
  expected.forEach((value, i) => {
    expect(Math.abs(ours[i]! - value), `${what} ${i}`).toBeLessThanOrEqual(
      1e-9 + 1e-6 * Math.abs(value),
    )
  })
}

const everything = (length: number, decays = true) => [
  { start: 0, end: length, learningRateScale: 1, decays },
]

test('three steps are torch’s: parameters and both moments', async () => {
  const state = stateOf(fixture.start)
  for (const [i, { gradient, parameters, firstMoment, secondMoment }] of fixture.steps.entries()) {
    await adamW(
      state,
      Float32Array.from(gradient),
      fixture,
      everything(gradient.length),
      fixture.learningRate,
      1,
    )
    expect(state.step).toBe(i + 1)
    expectClose(state.parameters, parameters, 'parameter')
    expectClose(state.firstMoment, firstMoment, 'first moment')
    expectClose(state.secondMoment, secondMoment, 'second moment')
  }
})

test('clipping by the joint norm is torch’s', async () => {
  const { gradients, norm, clipped, maxNorm } = fixture.clip
  const flat = Float32Array.from(gradients.flat())
  expect(Math.abs((await globalNorm(flat)) - norm) / norm).toBeLessThan(1e-6)
  const factor = clipFactor(await globalNorm(flat), maxNorm)
  expect(factor).toBeLessThan(1)
  expectClose(
    flat.map((d) => d * factor),
    clipped.flat(),
    'clipped',
  )
  expect(clipFactor(maxNorm / 2, maxNorm)).toBe(1)
  expect(clipFactor(1e9, 0)).toBe(1)
})

test('a scaled gradient is the gradient of a scaled step', async () => {
  const [a, b] = [stateOf(fixture.start), stateOf(fixture.start)]
  const gradient = Float32Array.of(1, -2, 4, 0.5, 8)
  await adamW(a, gradient, fixture, everything(5), 0.1, 0.25)
  await adamW(
    b,
    gradient.map((d) => d * 0.25),
    fixture,
    everything(5),
    0.1,
    1,
  )
  expect(a).toEqual(b)
})

describe('groups', () => {
  const gradient = Float32Array.of(1, -2, 3, 4, 5)

  test('what is in none stays as it is, bit for bit, moments too', async () => {
    const state = stateOf(fixture.start)
    await adamW(
      state,
      gradient,
      fixture,
      [{ start: 1, end: 3, learningRateScale: 1, decays: true }],
      0.1,
      1,
    )
    for (const i of [0, 3, 4]) {
      expect(state.parameters[i]).toBe(Math.fround(fixture.start[i]!))
      expect([state.firstMoment[i], state.secondMoment[i]]).toEqual([0, 0])
    }
    expect(state.parameters[1]).not.toBe(Math.fround(fixture.start[1]!))
  })

  test('scale their rate, and decay only where they say', async () => {
    const whole = stateOf(fixture.start)
    await adamW(whole, gradient, fixture, everything(5, false), 0.3, 1)
    const scaled = stateOf(fixture.start)
    const group = { start: 0, end: 5, learningRateScale: 3, decays: false }
    await adamW(scaled, gradient, fixture, [group], 0.1, 1)
    expectClose(scaled.parameters, Array.from(whole.parameters), 'scaled')
    const decayed = stateOf(fixture.start)
    await adamW(decayed, gradient, fixture, everything(5, true), 0.3, 1)
    expectClose(
      decayed.parameters,
      Array.from(whole.parameters, (p, i) => p - 0.3 * fixture.weightDecay * fixture.start[i]!),
      'decayed',
    )
  })

  test('a rate of 0 moves nothing but the moments', async () => {
    const state = stateOf(fixture.start)
    await adamW(state, gradient, fixture, everything(5), 0, 1)
    expect(state.parameters).toEqual(Float32Array.from(fixture.start))
    expect(state.firstMoment.every((m) => m !== 0)).toBe(true)
  })
})

test('the norm of many small numbers is right to n roundings of float64; a float32 sum would be off by percents', async () => {
  const n = 3_000_000
  const many = new Float32Array(n).fill(1e-3)
  expect(Math.abs((await globalNorm(many)) / (Math.fround(1e-3) * Math.sqrt(n)) - 1)).toBeLessThan(
    n * 2 ** -53,
  )
})
