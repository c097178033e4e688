/** @file A step's arithmetic as graphs: the optimiser's own numbers, on the CPU and where there is one on WebGPU. */
import { describe, expect, test } from 'vitest'
import {
  openAdamW,
  openSquares,
  openSum,
  renewed,
  sumFeeds,
  type Moved,
} from '../../../../evals/finetune/training/update-graphs.ts'
import { adamW, globalNorm } from '../../../../evals/graph/optimizer.ts'
import { randomStream } from '../../../../evals/statistics/random.ts'
import { relativeError } from '../../../doubles/models/safetensors.ts'
import { hasWebGpu, onWebGpu, webGpu } from '../../../doubles/graph/webgpu.ts'

/** Tensors of these sizes behind one another. */
function laid(...sizes: readonly number[]): { moved: Moved[]; size: number } {
  let size = 0
  const moved = sizes.map((length, i) => {
    const [start, end] = [size, (size += length)]
    const group = { start, end, learningRateScale: i % 2 === 0 ? 1 : 0.1, decays: i % 3 !== 0 }
    return { ...group, slice: { ...group, name: `t${i}`, shape: [length] } }
  })
  return { moved, size }
}

function drawn(size: number, seed: string, scale: number): Float32Array {
  const stream = randomStream(7, seed)
  return Float32Array.from({ length: size }, () => scale * stream.normal())
}

const named = (kind: string, moved: readonly Moved[], flat: Float32Array) =>
  Object.fromEntries(
    moved.map(({ slice, start, end }) => [
      `${kind}:${slice.name}`,
      { data: flat.subarray(start, end), dims: slice.shape },
    ]),
  )

const asNew = <T>(tensors: Readonly<Record<string, T>>) =>
  Object.fromEntries(Object.entries(tensors).map(([name, each]) => [renewed(name), each]))

const config = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.02 }

const devices = [
  ['the CPU', { name: 'cpu', threads: 1 } as const, false],
  [onWebGpu('WebGPU'), webGpu, !hasWebGpu],
] as const

for (const [title, device, isMissing] of devices) {
  describe.skipIf(isMissing)(title, () => {
    test('AdamW, written where it is read, gives the optimiser’s parameters and moments', async () => {
      const { moved, size } = laid(6, 1, 35, 700)
      const vectors = (): Record<'p' | 'm' | 'v', Float32Array> => ({
        p: drawn(size, 'p', 1),
        m: drawn(size, 'm', 1e-3),
        v: drawn(size, 'v', 1e-3).map((x) => x * x),
      })
      const [found, expected] = [vectors(), vectors()]
      const { p: parameters, m: firstMoment, v: secondMoment } = expected
      const state = { parameters, firstMoment, secondMoment, step: 4 }
      const { runner, feeds } = await openAdamW(moved, device)
      for (const step of [1, 2, 3]) {
        const gradient = drawn(size, `g${step}`, 1e-2)
        await adamW(state, gradient, config, moved, 3e-3, 0.4)
        const own = {
          ...named('p', moved, found.p),
          ...named('m', moved, found.m),
          ...named('v', moved, found.v),
        }
        const scalars = feeds(config, 4 + step, 3e-3, 0.4)
        const results = await runner.run(
          { ...scalars, ...own, ...named('g', moved, gradient) },
          asNew(own),
        )
        expect(Object.keys(results)).toHaveLength(3 * moved.length)
      }
      await runner.release()
      expect(relativeError(found.p, state.parameters)).toBeLessThan(1e-6)
      expect(relativeError(found.m, state.firstMoment)).toBeLessThan(1e-6)
      expect(relativeError(found.v, state.secondMoment)).toBeLessThan(1e-6)
      const start = vectors()
      expect(relativeError(start.p, state.parameters)).toBeGreaterThan(1e-4)
    })

    test('a decay of a millionth of a step is not rounded away', async () => {
      const { moved } = laid(4, 4)
      const run = async (weightDecay: number) => {
        const own = {
          ...named('p', moved, new Float32Array(8).fill(1)),
          ...named('m', moved, new Float32Array(8)),
          ...named('v', moved, new Float32Array(8)),
        }
        const still = named('g', moved, new Float32Array(8))
        const { runner, feeds } = await openAdamW(moved, device)
        const scalars = feeds({ ...config, epsilon: 1e-60, weightDecay }, 1, 1, 1)
        await runner.run({ ...scalars, ...own, ...still }, asNew(own))
        await runner.release()
        return own['p:t1']!.data[0]!
      }
      expect(await run(0)).toBe(1)
      // A tenth of it for the second tensor, and a quarter more than float32 has between 1 − 2⁻²³ and 1 − 2⁻²⁴.
      expect(await run(2 ** -20)).toBe(Math.fround(1 - 0.1 * 2 ** -20))
    })

    test('squares make the norm, of long tensors, of prime lengths and of many', async () => {
      const { moved, size } = laid(
        1,
        1009,
        10_007,
        2 ** 20,
        3 * 7919,
        ...Array<number>(300).fill(5),
      )
      const gradient = drawn(size, 'long', 1e-3)
      const runner = await openSquares(moved, device)
      const { squares } = await runner.run(named('g', moved, gradient))
      await runner.release()
      const sum = Array.from(squares!.data, Number).reduce((total, part) => total + part, 0)
      const norm = await globalNorm(gradient)
      expect(Math.abs(Math.sqrt(sum) / norm - 1)).toBeLessThan(1e-6)
    })

    test('gradients are summed where the sum lies', async () => {
      const { moved, size } = laid(3, 40)
      const [sum, more] = [drawn(size, 'sum', 1), drawn(size, 'more', 1)]
      const expected = sum.map((value, i) => value + more[i]!)
      const own = named('sum', moved, sum)
      const runner = await openSum(moved, device)
      await runner.run({ ...sumFeeds, ...own, ...named('g', moved, more) }, asNew(own))
      await runner.release()
      expect(sum).toEqual(expected)
    })
  })
}
