/** @file Diffusion where everything is known: a mixture of normals, its sampler, and the distance between samples. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  noiseGiven,
  noiseOf,
  responsibilities,
} from '../../../../evals/models/diffusion/mixture.ts'
import { ddim, ddimLevels, guided, levelOf } from '../../../../evals/models/diffusion/schedule.ts'
import { energyFrom } from '../../../../evals/statistics/energy-distance.ts'
import { randomStream } from '../../../../evals/statistics/random.ts'

const REFERENCE = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../golden/fixtures/diffusion.json'), 'utf8'),
) as { sample: number[]; energy: number }
const expectNear = (found: ArrayLike<number>, wanted: readonly number[], digits: number) => {
  expect(found).toHaveLength(wanted.length)
  wanted.forEach((value, i) => expect(found[i]).toBeCloseTo(value, digits))
}
/** As make-denoiser.py writes them. */
const numbers = (count: number, start: number) =>
  Float64Array.from({ length: count }, (_, i) => 1.5 * Math.sin(start + 1.3 * i))

test('noise in a mixture of two normals: each component’s, the mixture’s, and with guidance', () => {
  const mixture = {
    means: [
      [2, 0],
      [-2, 0],
    ],
    variance: 0.25,
  }
  const [x, level] = [[0.5, 0.3], { alpha: 0.8, sigma: 0.6 }] as const
  const [told, free] = [noiseGiven(mixture, x, level, 0), noiseOf(mixture, x, level)]
  expectNear(told, [-1.269231, 0.346154], 6)
  expectNear(responsibilities(mixture, x, level), [0.955931, 0.044069], 6)
  expectNear(free, [-1.106514, 0.346154], 6)
  expectNear(guided(told, free, 3), [-1.594665, 0.346154], 6)
  expect([...guided(told, free, 0)]).toEqual(free)
  expectNear(guided(told, free, 1), told, 14)
})

test('every level keeps the variance, and a sampler calls once a step from the noisiest down', async () => {
  const levels = ddimLevels(200, 50)
  expect([levels.length, levels[0], levels.at(-1)]).toEqual([50, 199, 3])
  for (const t of levels) {
    const { alpha, sigma } = levelOf(t, 200)
    expect(alpha ** 2 + sigma ** 2).toBeCloseTo(1, 12)
  }
  const asked: number[] = []
  const predict = async (xs: readonly Float64Array[], t: number) => {
    asked.push(t)
    return xs.map((x) => x.map((value) => 0.6 * value + 0.1))
  }
  const [sample] = await ddim([numbers(4, 0.7)], predict, { levels: 200, steps: 50, bound: 1 })
  expect(asked).toEqual(levels)
  expectNear(sample!, REFERENCE.sample, 9)
})

test('a sampler that knows the noise of a mixture draws its components in their shares', async () => {
  const mixture = { means: [[-2], [2]], variance: 0.04, shares: [0.3, 0.7] }
  const stream = randomStream(0, 'mixture')
  const start = Array.from({ length: 600 }, () => Float64Array.of(stream.normal()))
  const predict = async (xs: readonly Float64Array[], t: number) =>
    xs.map((x) => noiseOf(mixture, x, levelOf(t, 200)))
  const samples = await ddim(start, predict, { levels: 200, steps: 50, bound: 10 })
  const right = samples.filter(([x]) => x! > 0)
  // Four standard errors of 600 draws.
  expect(Math.abs(right.length / 600 - 0.7)).toBeLessThan(4 * Math.sqrt((0.3 * 0.7) / 600))
  const spread = right.reduce((sum, [x]) => sum + (x! - 2) ** 2, 0) / right.length
  expect(Math.abs(Math.sqrt(spread) - 0.2)).toBeLessThan(0.03)
})

test('the energy distance is NumPy’s, and counts a row that is drawn twice once with itself', () => {
  const pairs = (values: Float64Array, shift: number) =>
    Array.from({ length: values.length / 2 }, (_, i) => [
      values[2 * i]! + shift,
      values[2 * i + 1]! + shift,
    ])
  const [a, b] = [pairs(numbers(10, 0.2), 0), pairs(numbers(8, 3), 0.5)]
  const energy = energyFrom(b)
  const rows = energy.rows(a)
  expect(energy.energyOf(rows)).toBeCloseTo(REFERENCE.energy, 12)
  expect(energy.energyOf([...rows, ...rows])).toBeCloseTo(REFERENCE.energy, 12)
  expect(energy.energyOf([rows[0]!, rows[0]!])).toBeNull()
})
