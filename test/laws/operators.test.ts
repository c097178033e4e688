/** @file The laws of operators: inferred shapes are real, gradients are central differences, dialects agree. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { CPU, FLOAT64, LEARNING, PORTABLE, type Dialect, type Op } from '../../evals/graph/op.ts'
import type { Value } from '../../evals/graph/value.ts'
import { OPERATOR_EXAMPLES, type OperatorExample } from '../doubles/graph/operator-examples.ts'
import {
  atRunTime,
  carried,
  differentiable,
  everything,
  lossGraphOf,
} from '../doubles/graph/operator-laws.ts'
import {
  checkGradients,
  lossAndGradients,
  runOnce,
  type LossGraph,
} from '../doubles/graph/run-graph.ts'
import { relativeError } from '../doubles/models/safetensors.ts'

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

const dialects = ({ only32 }: OperatorExample): [string, Dialect][] =>
  only32
    ? [['cpu', CPU]]
    : [
        ['float64', FLOAT64],
        ['learning', LEARNING],
        ['portable', PORTABLE],
        ['cpu', CPU],
      ]

const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  bool: Uint8Array,
  int8: Int8Array,
  float16: Float16Array,
} as const

const named = OPERATOR_EXAMPLES.map(
  (example) => [`${example.op.name}: ${example.what}`, example] as const,
)

describe.each(named)('%s', (_, example) => {
  const given = carried(example.given)

  test.each(dialects(example))('its shapes and dtypes are real (%s)', async (_name, dialect) => {
    const types = new Map<string, Value>()
    const results = await runOnce(dialect, given, (g, inputs) => {
      const outputs = everything(example)(g, inputs)
      Object.entries(outputs).forEach(([name, value]) => types.set(name, value))
      return outputs
    })
    for (const [name, { dtype, shape }] of types) {
      expect(results[name]!.dims, name).toEqual(atRunTime(shape, given))
      expect(results[name]!.data, name).toBeInstanceOf(ARRAYS[dtype as keyof typeof ARRAYS])
    }
  })

  const wrt = differentiable(example)
  if (wrt.length === 0) return

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
      ['learning', LEARNING],
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
