/** @file Reverse mode: sums where a value is used twice, zeros where it does not matter, and one place that un-broadcasts. */
import { describe, expect, test } from 'vitest'
import { gradients } from '../../../evals/graph/gradient.ts'
import { FLOAT64 } from '../../../evals/graph/op.ts'
import { createGraph, type Graph } from '../../../evals/graph/ops/index.ts'
import type { Value } from '../../../evals/graph/value.ts'
import { checkGradients, generic, runOnce, type Given } from '../../doubles/run-graph.ts'

const total = (g: Graph, x: Value) =>
  g.reduceSum(
    x,
    x.shape.map((_, axis) => axis),
    { keepDims: false },
  )

async function gradientsOf(
  given: readonly Given[],
  loss: (g: Graph, x: readonly Value[]) => Value,
): Promise<number[][]> {
  const results = await runOnce(FLOAT64, given, (g, x) =>
    Object.fromEntries(gradients(g, loss(g, x), x).map((d, i) => [`d${i}`, d])),
  )
  return given.map((_, i) => Array.from(results[`d${i}`]!.data, Number))
}

const x = generic('x', [3, 2])
const given = (values: number[], dims: number[] = [values.length]): Given => ({
  dtype: 'float64',
  shape: dims,
  dims,
  values,
})

describe('a value used twice', () => {
  test('by one operator: x·x has gradient 2x', async () => {
    const [d] = await gradientsOf([given([3, -2])], (g, [a]) => total(g, g.mul(a!, a!)))
    expect(d).toEqual([6, -4])
  })

  test('by one operator with a product: x·xᵀ', async () => {
    const [check] = await checkGradients(FLOAT64, {
      given: [x],
      wrt: [0],
      loss: (g, [a]) => total(g, g.exp(g.matMulT(a!, a!))),
    })
    expect(check!.error).toBeLessThan(1e-6)
  })

  test('along two branches of unequal length', async () => {
    const [d] = await gradientsOf([given([3, -2])], (g, [a]) =>
      total(g, g.add(g.mul(g.neg(g.neg(a!)), g.scalar(5)), g.mul(a!, a!))),
    )
    expect(d).toEqual([11, 1])
  })

  test('broadcast once and whole once', async () => {
    const [check] = await checkGradients(FLOAT64, {
      given: [generic('row', [1, 2]), x],
      wrt: [0, 1],
      loss: (g, [row, a]) => total(g, g.mul(g.mul(row!, a!), g.exp(g.mul(row!, row!)))),
    })
    expect(check!.error).toBeLessThan(1e-6)
  })
})

describe('what does not reach the loss', () => {
  test('gets zeros of its own shape', async () => {
    const [used, unused] = await gradientsOf([given([2]), x], (g, [a, b]) => {
      g.exp(b!)
      return total(g, g.mul(a!, a!))
    })
    expect(used).toEqual([4])
    expect(unused).toEqual([0, 0, 0, 0, 0, 0])
  })

  test('gets zeros even where it is not finite', async () => {
    const [, unused] = await gradientsOf([given([2]), given([Infinity, NaN])], (g, [a]) =>
      total(g, g.mul(a!, a!)),
    )
    expect(unused).toEqual([0, 0])
  })

  test('has gradients stopped at an operator that is not differentiable', async () => {
    const [d] = await gradientsOf([given([1, 3])], (g, [a]) =>
      total(g, g.sub(g.mul(a!, a!), g.reduceMax(a!, [0], { keepDims: true }))),
    )
    expect(d).toEqual([2, 6])
  })

  test('and the loss itself has gradient 1', async () => {
    const results = await runOnce(FLOAT64, [given([5])], (g, [a]) => {
      const loss = total(g, a!)
      return { d: gradients(g, loss, [loss])[0]! }
    })
    expect(Array.from(results.d!.data, Number)).toEqual([1])
  })
})

describe('un-broadcasting', () => {
  test.each<[string, number[], number[]]>([
    ['a scalar', [], [3, 2]],
    ['a vector along rows', [2], [3, 2]],
    ['a column', [3, 1], [3, 2]],
    ['a stretched stack', [1, 2], [4, 3, 2]],
    ['each along the other', [3, 1], [1, 2]],
  ])('%s sums over what was stretched', async (_, small, large) => {
    for (const check of await checkGradients(FLOAT64, {
      given: [generic('small', small), generic('large', large)],
      wrt: [0, 1],
      loss: (g, [a, b]) => total(g, g.mul(g.exp(g.mul(a!, b!)), b!)),
    })) {
      expect(check.error).toBeLessThan(1e-6)
      expect(check.dims).toEqual([small, large][check.input])
    }
  })
})

test('operators below every asked value cost nothing: only what leads to one is differentiated', () => {
  const build = (depth: number) => {
    const g = createGraph()
    let frozen = g.input('x', 'float32', [4, 4])
    const W = g.input('W', 'float32', [4, 4])
    for (let i = 0; i < depth; i++) frozen = g.matMul(frozen, W)
    const a = g.parameter('a', [4, 4])
    const before = g.nodes.length
    gradients(g, total(g, g.matMul(frozen, a)), [a])
    return g.nodes.length - before
  }
  expect(build(20)).toBe(build(1))
})
