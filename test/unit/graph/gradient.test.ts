/** @file Reverse mode: sums where a value is used twice, zeros where it does not matter, and one place that un-broadcasts. */
import { describe, expect, test } from 'vitest'
import { gradients } from '../../../evals/graph/gradient.ts'
import { FLOAT64 } from '../../../evals/graph/op.ts'
import { createGraph, type Graph } from '../../../evals/graph/ops/index.ts'
import type { Value } from '../../../evals/graph/value.ts'
import { checkGradients, generic, runOnce, type Given } from '../../doubles/graph/run-graph.ts'

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

test('what is light is made again for the rules that read it, and is not held until then', () => {
  const g = createGraph()
  const [a, b] = [g.parameter('a', [2, 3]), g.parameter('b', [3, 2])]
  const gate = g.silu(a)
  const y = g.gated(gate, a)
  const loss = total(g, g.matMul(y, b))
  const forward = g.nodes.length
  gradients(g, loss, [a, b])
  const later = g.nodes.slice(forward).flatMap(({ inputs }) => inputs)
  expect(later).not.toContain(y.name)
  expect(later).not.toContain(gate.name)
  expect(g.nodes.filter(({ opType }) => opType === 'QuickGelu')).toHaveLength(2)
})

describe('a segment that is computed a second time', () => {
  const given = [generic('x', [3, 4]), generic('W', [4, 4]), generic('V', [4, 4])]
  /** V stands in both segments; what x is made of before them is not trained. */
  const loss = (g: Graph, [a, W, V]: readonly Value[]) => {
    const begun = g.exp(a!)
    const one = g.segment(() => g.tanh(g.matMulT(g.tanh(g.matMulT(begun, W!)), V!)))
    const two = g.segment(() => g.add(one, g.tanh(g.matMul(g.mul(one, one), V!))))
    return total(g, g.mul(two, two))
  }
  const both = (wrt: readonly number[], checkpointing: boolean) =>
    runOnce(FLOAT64, given, (g, x) => {
      const chosen = wrt.map((i) => x[i]!)
      const found = gradients(g, loss(g, x), chosen, { checkpointing })
      return Object.fromEntries(found.map((d, i) => [`d${i}`, d]))
    })

  test.each([[[0, 1, 2]], [[1, 2]], [[2]]])('gives inputs %j the same bits', async (wrt) => {
    expect(await both(wrt, true)).toEqual(await both(wrt, false))
  })

  test('and these are right', async () => {
    for (const { error } of await checkGradients(FLOAT64, { given, wrt: [0, 1, 2], loss }))
      expect(error).toBeLessThan(1e-6)
  })

  test('is not where nothing of it reaches the loss, nor where nobody asked', () => {
    const nodesOf = (checkpointing: boolean, isUsed: boolean) => {
      const g = createGraph()
      const a = g.parameter('a', [4, 4])
      const made = g.segment(() => g.exp(g.exp(a)))
      gradients(g, total(g, isUsed ? made : g.exp(a)), [a], { checkpointing })
      return g.nodes.length
    }
    expect(nodesOf(true, false)).toBe(nodesOf(false, false))
    expect(nodesOf(true, true)).toBeGreaterThan(nodesOf(false, true))
  })

  test('is not begun before what was behind it has its gradients, those of weights too', () => {
    const g = createGraph()
    const names = ['W1', 'W2', 'W3']
    const W = names.map((name) => g.parameter(name, [4, 4]))
    const x = g.input('x', 'float32', [4, 4])
    const last = W.reduce((y, w) => g.segment(() => g.tanh(g.matMulT(y, w))), x)
    const found = gradients(g, total(g, last), W, { checkpointing: true })
    const before = (name: string): ReadonlySet<string> => {
      const node = g.nodes.find(({ outputs }) => outputs.includes(name))
      return new Set(node?.inputs.flatMap((input) => [input, ...before(input)]))
    }
    expect(before(found[0]!.name)).toContain(found[1]!.name)
    expect(before(found[1]!.name)).toContain(found[2]!.name)
    expect(before(found[2]!.name)).not.toContain(found[1]!.name)
  })

  test('waits, and begins from the same bits, −0 and what is not finite too', async () => {
    const values = [-0, 0, Infinity, -Infinity, NaN, -1.5]
    const { late } = await runOnce(
      FLOAT64,
      [{ dtype: 'float64', shape: [6], dims: [6], values }],
      (g, [a]) => ({ late: g.after(a!, g.moment([g.exp(a!), total(g, a!)])) }),
    )
    expect(Array.from(late!.data, Number)).toEqual(values)
  })

  test('lies in no other', () => {
    const g = createGraph()
    const a = g.parameter('a', [4, 4])
    expect(() => g.segment(() => g.exp(g.segment(() => g.exp(a))))).toThrow('internal:')
  })
})
