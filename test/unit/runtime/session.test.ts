/** @file What a runner must be fed, what it refuses, and that its sums do not depend on a race between threads. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TouchstoneError } from '../../../evals/errors/touchstone-error.ts'
import { createGraph } from '../../../evals/graph/ops/index.ts'
import { translateOrtError } from '../../../evals/runtime/ort-errors.ts'
import { createRunner, type Runner } from '../../../evals/runtime/session.ts'
import type { Tensor } from '../../../evals/runtime/tensor.ts'

const device = { name: 'cpu', threads: 1 } as const
const floats = (dims: number[], of = (i: number) => i): Tensor => ({
  data: Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => of(i)),
  dims,
})

describe('a graph with symbols', () => {
  let runner: Runner
  beforeAll(async () => {
    const g = createGraph()
    const x = g.input('x', 'float32', ['batch', 'seq', 2])
    const y = g.input('y', 'float32', ['batch', 'seq'])
    const wide = g.reshape(x, ['batch', 2, 'seq'])
    const sum = g.add(wide, g.reshape(y, ['batch', 1, 'seq']))
    runner = await createRunner(g, { sum }, { device, purpose: 'train' })
  })
  afterAll(() => runner.release())

  test('asks for its inputs and not for the shapes, which it works out', async () => {
    expect(runner.inputs).toEqual(['x', 'y'])
    for (const [batch, seq] of [
      [1, 1],
      [3, 2],
      [2, 5],
    ] as const) {
      const { sum } = await runner.run({
        x: floats([batch, seq, 2]),
        y: floats([batch, seq], () => 1),
      })
      expect(sum!.dims).toEqual([batch, 2, seq])
      expect(Array.from(sum!.data, Number)).toEqual(
        Array.from({ length: batch * seq * 2 }, (_, i) => i + 1),
      )
    }
  })

  test('names an input that was not fed', async () => {
    await expect(runner.run({ x: floats([1, 1, 2]) })).rejects.toThrow(
      'internal: the graph needs the input "y", which was not fed',
    )
  })

  test.each([
    ['another rank', floats([2, 2])],
    ['another fixed size', floats([2, 2, 3])],
    ['a batch that differs between inputs', floats([3, 2, 2])],
  ])('refuses %s, by the input’s name', async (_, x) => {
    await expect(runner.run({ x, y: floats([2, 2]) })).rejects.toThrow(
      /^internal: input [xy] cannot/,
    )
  })

  test('takes more than it needs', async () => {
    const feeds = { x: floats([1, 1, 2]), y: floats([1, 1]), z: floats([4]) }
    expect((await runner.run(feeds)).sum!.dims).toEqual([1, 2, 1])
  })
})

test('an output can be written into a given buffer', async () => {
  const g = createGraph()
  const y = g.add(g.input('x', 'float32', ['n']), g.scalar(1))
  const runner = await createRunner(g, { y }, { device, purpose: 'generate' })
  const target = floats([3], () => 0)
  const { y: result } = await runner.run({ x: floats([3]) }, { y: target })
  expect(target.data).toEqual(Float32Array.of(1, 2, 3))
  expect(result!.data).toEqual(target.data)
  await runner.release()
})

test.each([1, 2, 4])(
  'rows that repeat are added without a race, on %i threads',
  async (threads) => {
    const g = createGraph()
    const indices = g.input('indices', 'int32', ['n'])
    const updates = g.input('updates', 'float32', ['n', 32])
    const y = g.scatterAddRows([4, 32], indices, updates)
    const options = { device: { name: 'cpu', threads }, purpose: 'train' } as const
    const runner = await createRunner(g, { y }, options)
    const n = 8000
    const feeds = {
      indices: { data: Int32Array.from({ length: n }, (_, i) => i % 4), dims: [n] },
      updates: floats([n, 32], () => 1),
    }
    for (let attempt = 0; attempt < 5; attempt++)
      expect(new Set((await runner.run(feeds)).y!.data as Float32Array)).toEqual(new Set([n / 4]))
    await runner.release()
  },
)

describe('errors of ONNX Runtime', () => {
  const where = { device: 'cpu', batchSize: 8 }

  test.each([
    'std::bad_alloc',
    'BFCArena: Failed to allocate memory for requested buffer of size 9',
  ])('%s is out of memory, with the batch size to try', (message) => {
    const error = translateOrtError(new Error(message), where) as TouchstoneError
    expect(error.code).toBe('device.out-of-memory')
    expect(error.remedy).toContain('4')
  })

  test('anything else is a bug of ours, and keeps its words and its cause', () => {
    for (const thrown of [new Error('no such kernel'), 'no such kernel']) {
      const error = translateOrtError(thrown, where)
      expect(error.message).toMatch(/^internal: .*no such kernel/)
      expect(error.cause).toBe(thrown)
      expect(error).not.toBeInstanceOf(TouchstoneError)
    }
  })
})
