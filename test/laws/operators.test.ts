/** @file The laws of operators: inferred shapes are real, gradients are central differences, dialects agree. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { CPU, FLOAT64, PORTABLE, type Dialect, type Op } from '../../evals/graph/op.ts'
import type { Graph } from '../../evals/graph/ops/index.ts'
import { bindSymbols, evaluate } from '../../evals/graph/shape.ts'
import type { Shape, Value } from '../../evals/graph/value.ts'
import { OPERATOR_EXAMPLES, type OperatorExample } from '../doubles/operator-examples.ts'
import {
  checkGradients,
  generic,
  isFloating,
  lossAndGradients,
  runOnce,
  weightedSum,
  type Build,
  type Given,
  type LossGraph,
} from '../doubles/run-graph.ts'
import { relativeError } from '../doubles/safetensors.ts'

const folder = join(import.meta.dirname, '../../evals/graph/ops')
const isOp = (value: unknown): value is Op<unknown> =>
  typeof value === 'object' && value !== null && 'infer' in value && 'emit' in value

async function exportedOperators(): Promise<[string, Op<unknown>][]> {
  const modules = await Promise.all(
    readdirSync(folder).map(
      (file) => import(join(folder, file)) as Promise<Record<string, unknown>>,
    ),
  )
  return modules.flatMap((each) =>
    Object.entries(each).flatMap(([name, value]): [string, Op<unknown>][] =>
      isOp(value) ? [[name, value]] : [],
    ),
  )
}

test('every exported operator has an example, under its own name', async () => {
  const operators = await exportedOperators()
  expect(operators.length).toBeGreaterThan(30)
  for (const [name, op] of operators) {
    expect(op.name).toBe(name)
    expect(
      OPERATOR_EXAMPLES.some((example) => example.op === op),
      name,
    ).toBe(true)
  }
})

/** Outputs, kept values, and the inputs themselves, so that each symbol is carried by something alive. */
const everything =
  ({ op, attributes }: OperatorExample): Build =>
  (g, inputs) => {
    const outputs = g.apply(op, inputs, attributes(g.float))
    const { kept } = g.applications.at(-1)!
    return {
      ...Object.fromEntries(outputs.map((y, i) => [`y${i}`, y])),
      ...Object.fromEntries(Object.entries(kept).map(([key, y]) => [`kept.${key}`, y])),
      ...Object.fromEntries(inputs.map((x, i) => [`same.${i}`, x])),
    }
  }

const dialects = ({ only32 }: OperatorExample): [string, Dialect][] =>
  only32
    ? [['cpu', CPU]]
    : [
        ['float64', FLOAT64],
        ['portable', PORTABLE],
        ['cpu', CPU],
      ]

const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  bool: Uint8Array,
} as const

/** What the example's inputs say of the symbols. */
const bindingsOf = (given: readonly Given[]) =>
  bindSymbols(given.map(({ shape, dims }, i) => ({ name: `x${i}`, declared: shape, actual: dims })))

const atRunTime = (shape: Shape, given: readonly Given[]) =>
  shape.map((dim) => evaluate(dim, bindingsOf(given)))

const CARRIERS: readonly Given[] = [generic('batch and seq', [2, 3], ['batch', 'seq'])]
/** Adds a tensor that carries `batch` and `seq` alone where only their product appears. */
const carried = (given: readonly Given[]): readonly Given[] =>
  given.some(({ shape }) => shape.includes('batch*seq')) ? [...given, ...CARRIERS] : given

const named = OPERATOR_EXAMPLES.map(
  (example) => [`${example.op.name}: ${example.what}`, example] as const,
)

describe.each(named)('%s', (_, example) => {
  const given = carried(example.given)
  const count = example.given.length

  test.each(dialects(example))('its shapes and dtypes are real (%s)', async (_name, dialect) => {
    const types = new Map<string, Value>()
    const results = await runOnce(dialect, given, (g, inputs) => {
      const outputs = {
        ...everything(example)(g, inputs.slice(0, count)),
        ...Object.fromEntries(inputs.slice(count).map((x, i) => [`carrier.${i}`, x])),
      }
      Object.entries(outputs).forEach(([name, value]) => types.set(name, value))
      return outputs
    })
    for (const [name, { dtype, shape }] of types) {
      expect(results[name]!.dims, name).toEqual(atRunTime(shape, given))
      expect(results[name]!.data, name).toBeInstanceOf(ARRAYS[dtype as keyof typeof ARRAYS])
    }
  })

  const wrt = example.given.flatMap((each, i) =>
    isFloating(each) && !example.fixed?.includes(i) ? [i] : [],
  )
  if (example.op.vjp === 'none' || example.only32 || wrt.length === 0) return

  const lossGraph: LossGraph = lossGraphOf(example, given, wrt)

  test('its gradient is the central difference (float64)', async () => {
    for (const { input, error, norm, declared, dims } of await checkGradients(FLOAT64, lossGraph)) {
      expect(error, `input ${input}`).toBeLessThan(1e-6)
      expect(norm, `input ${input}`).toBeGreaterThan(1e-3)
      expect(dims, `input ${input}`).toEqual(lossGraph.given[input]!.dims)
      expect(atRunTime(declared, given)).toEqual(dims)
    }
  })

  test('the CPU’s fused kernels and the portable ones give the float64 numbers', async () => {
    const build = lossAndGradients(lossGraph)
    const exact = await runOnce(FLOAT64, lossGraph.given, build)
    for (const [name, dialect] of [
      ['cpu', CPU],
      ['portable', PORTABLE],
    ] as const) {
      const results = await runOnce(dialect, lossGraph.given, build)
      for (const [output, { data }] of Object.entries(results)) {
        const expected = Array.from(exact[output]!.data, Number)
        expect(relativeError(Array.from(data, Number), expected), `${name} ${output}`).toBeLessThan(
          1e-5,
        )
      }
    }
  })
})

/** Σ c·y over the operator's outputs; the cotangents c are further inputs, with generic numbers. */
function lossGraphOf(
  { op, attributes, given: own }: OperatorExample,
  given: readonly Given[],
  wrt: readonly number[],
): LossGraph {
  const types = op.infer(
    own.map(({ dtype, shape }) => ({ dtype, shape })),
    attributes('float64'),
  )
  const cotangents = types.outputs.map(({ shape }, i) =>
    generic(`cotangent ${i}`, atRunTime(shape, given), shape),
  )
  const loss = (g: Graph, inputs: readonly Value[]) => {
    const outputs = g.apply(op, inputs.slice(0, own.length), attributes(g.float))
    const sum = weightedSum(
      g,
      outputs.map((y, i) => [y, inputs[given.length + i]!]),
    )
    // A carrier of symbols must be read by something.
    return given
      .slice(own.length)
      .reduce((total, _, i) => g.add(total, zeroOf(g, inputs[own.length + i]!)), sum)
  }
  return { loss, given: [...given, ...cotangents], wrt }
}

const zeroOf = (g: Graph, x: Value): Value =>
  g.reduceSum(
    g.mul(x, g.scalar(0)),
    x.shape.map((_, axis) => axis),
    { keepDims: false },
  )
