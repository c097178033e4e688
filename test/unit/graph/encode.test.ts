/** @file Graph → ONNX: only what the outputs need is written, under the names that they were given. */
import onnxProto from 'onnx-proto'
import { describe, expect, test } from 'vitest'
import { encode } from '../../../evals/graph/encode.ts'
import { CPU } from '../../../evals/graph/op.ts'
import { createGraph } from '../../../evals/graph/ops/index.ts'
import { createRunner } from '../../../evals/runtime/session.ts'
import { generic, runOnce } from '../../doubles/graph/run-graph.ts'

const device = { name: 'cpu', threads: 1 } as const
const decode = (bytes: Uint8Array) => onnxProto.onnx.ModelProto.decode(bytes).graph!

describe('dead code', () => {
  const g = createGraph()
  const [x, y, unused] = [
    g.input('x', 'float32', [2]),
    g.input('y', 'float32', [2]),
    g.input('unused', 'float32', [2]),
  ]
  const wanted = g.mul(x, g.scalar(3))
  g.add(g.exp(wanted), g.scalar(7))
  g.mul(y, unused)

  test('is left out: nodes, inputs and constants', () => {
    const encoded = encode(g, { wanted })
    const graph = decode(encoded.bytes)
    expect(graph.node!.map(({ opType }) => opType)).toEqual(['Mul'])
    expect(graph.input!.map(({ name }) => name)).toEqual(['x'])
    expect(graph.initializer).toHaveLength(1)
    expect(encoded.inputs.map(({ name }) => name)).toEqual(['x'])
    expect(encoded.nodes).toBe(1)
  })

  test('leaves the graph as it was, so that it can be encoded again for other outputs', () => {
    encode(g, { wanted })
    expect(decode(encode(g, { wanted }).bytes)).toEqual(decode(encode(g, { wanted }).bytes))
    expect(g.inputs.map(({ name }) => name)).toEqual(['x', 'y', 'unused'])
  })

  test('takes optional outputs with it that nobody reads', () => {
    const h = createGraph()
    const normed = h.rmsNorm(h.input('x', 'float32', [2, 3]), h.input('w', 'float32', [3]), 1e-5)
    const [node] = decode(encode(h, { normed }).bytes).node!
    expect(node!.output).toEqual(['normed'])
  })
})

test('equal small constants are stored once', () => {
  const g = createGraph()
  const x = g.input('x', 'float32', [2])
  const y = g.add(g.mul(x, g.scalar(2)), g.scalar(2))
  const z = g.add(y, g.constant([2], 'float32', [1]))
  expect(decode(encode(g, { z }).bytes).initializer).toHaveLength(2)
})

describe('outputs', () => {
  const given = [generic('x', [2, 3])]
  const numbers = given[0]!.values.map(Math.fround)
  const values = (tensor: { data: ArrayLike<unknown> }) => Array.from(tensor.data, Number)

  test('one value may be several of them', async () => {
    const results = await runOnce(CPU, given, (g, [x]) => {
      const doubled = g.add(x!, x!)
      return { first: doubled, second: doubled, third: g.neg(doubled) }
    })
    expect(values(results.first!)).toEqual(numbers.map((v) => 2 * v))
    expect(results.second!.data).toEqual(results.first!.data)
    expect(values(results.third!)).toEqual(numbers.map((v) => -2 * v))
  })

  test('an input may be one, or two', async () => {
    const results = await runOnce(CPU, given, (_, [x]) => ({ a: x!, b: x! }))
    expect(values(results.a!)).toEqual(numbers)
    expect(values(results.b!)).toEqual(numbers)
  })

  test('a constant may be one', async () => {
    const results = await runOnce(CPU, given, (g, [x]) => ({
      c: g.constant([1, 2], 'float32', [2]),
      x: x!,
    }))
    expect(values(results.c!)).toEqual([1, 2])
  })

  test('come in the order and under the names that were asked for', () => {
    const g = createGraph()
    const x = g.input('x', 'float32', ['rows', 3])
    const [a, b] = [g.exp(x), g.reduceSum(x, [1], { keepDims: false })]
    const graph = decode(encode(g, { zulu: b, alpha: a }).bytes)
    expect(graph.output!.map(({ name }) => name)).toEqual(['zulu', 'alpha'])
    const dims = graph.output!.map(({ type }) =>
      type!.tensorType!.shape!.dim!.map(({ dimParam, dimValue }) => dimParam || Number(dimValue)),
    )
    expect(dims).toEqual([['rows'], ['rows', 3]])
  })
})

describe('external weights', () => {
  const build = () => {
    const g = createGraph()
    const x = g.input('x', 'float32', ['rows', 3])
    const W = g.input('W', 'float32', [2, 3])
    return { g, y: g.matMulT(x, W) }
  }

  test('are initialisers that point into a buffer, and no inputs', () => {
    const { g, y } = build()
    const external = new Map([['W', { buffer: 'weights', offset: 64, bytes: 24 }]])
    const encoded = encode(g, { y }, external)
    const graph = decode(encoded.bytes)
    expect(encoded.inputs.map(({ name }) => name)).toEqual(['x'])
    expect(graph.input!.map(({ name }) => name)).toEqual(['x'])
    const [weight] = graph.initializer!
    expect(weight!.name).toBe('W')
    expect(weight!.dims!.map(Number)).toEqual([2, 3])
    expect(Object.fromEntries(weight!.externalData!.map(({ key, value }) => [key, value]))).toEqual(
      {
        location: 'weights',
        offset: '64',
        length: '24',
      },
    )
  })

  test('compute what fed weights compute; views into a larger buffer too', async () => {
    const { g, y } = build()
    const buffer = Float32Array.from({ length: 10 }, (_, i) => i - 4)
    const W = buffer.subarray(3, 9)
    const x = { data: Float32Array.of(1, 2, 3, -1, 0, 2), dims: [2, 3] }
    const expected = [0, 1].flatMap((row) =>
      [0, 1].map((out) =>
        [0, 1, 2].reduce((s, k) => s + x.data[row * 3 + k]! * W[out * 3 + k]!, 0),
      ),
    )
    for (const purpose of ['train', 'generate'] as const) {
      const fed = await createRunner(g, { y }, { device, purpose })
      const results = await fed.run({ x, W: { data: W, dims: [2, 3] } })
      expect(Array.from(results.y!.data, Number)).toEqual(expected)
      const frozen = await createRunner(g, { y }, { device, purpose, frozen: new Map([['W', W]]) })
      expect(frozen.inputs).toEqual(['x'])
      expect((await frozen.run({ x })).y!.data).toEqual(results.y!.data)
      await Promise.all([fed.release(), frozen.release()])
    }
  })

  test('that no output needs are not written', async () => {
    const { g, y } = build()
    g.input('extra', 'float32', [2])
    const frozen = new Map([
      ['W', new Float32Array(6)],
      ['extra', new Float32Array(2)],
    ])
    const runner = await createRunner(g, { y }, { device, purpose: 'generate', frozen })
    expect(runner.inputs).toEqual(['x'])
    await runner.release()
  })
})

test('two inputs of one name are refused', () => {
  const g = createGraph()
  g.input('x', 'float32', [1])
  expect(() => g.parameter('x', [1])).toThrow('internal: the graph already has an input "x"')
})
