/** @file What the laws of operators ask of an example: everything that it gives, and its gradients under generic cotangents. */
import type { Graph } from '../../../evals/graph/ops/index.ts'
import type { Shape, Value } from '../../../evals/graph/value.ts'
import { bindSymbols, evaluate } from '../../../evals/runtime/bindings.ts'
import type { OperatorExample } from './operator-examples.ts'
import {
  generic,
  isFloating,
  weightedSum,
  type Build,
  type Given,
  type LossGraph,
} from './run-graph.ts'

/** Outputs, kept values, and the inputs themselves, so that each symbol is carried by something alive. */
export const everything =
  ({ op, given, attributes }: OperatorExample): Build =>
  (g, inputs) => {
    const outputs = g.apply(op, inputs.slice(0, given.length), attributes(g.float))
    const { kept } = g.applications.at(-1)!
    return {
      ...Object.fromEntries(outputs.map((y, i) => [`y${i}`, y])),
      ...Object.fromEntries(Object.entries(kept).map(([key, y]) => [`kept.${key}`, y])),
      ...Object.fromEntries(inputs.map((x, i) => [`same.${i}`, x])),
    }
  }

/** What the example's inputs say of the symbols. */
const bindingsOf = (given: readonly Given[]) =>
  bindSymbols(given.map(({ shape, dims }, i) => ({ name: `x${i}`, declared: shape, actual: dims })))

export const atRunTime = (shape: Shape, given: readonly Given[]) =>
  shape.map((dim) => evaluate(dim, bindingsOf(given)))

const CARRIERS: readonly Given[] = [generic('batch and seq', [2, 3], ['batch', 'seq'])]
/** Adds a tensor that carries `batch` and `seq` alone where only their product appears. */
export const carried = (given: readonly Given[]): readonly Given[] =>
  given.some(({ shape }) => shape.includes('batch*seq')) ? [...given, ...CARRIERS] : given

/** The inputs that have a gradient, by place. */
export const differentiable = ({ op, given, only32, fixed }: OperatorExample): readonly number[] =>
  op.vjp === 'none' || only32
    ? []
    : given.flatMap((each, i) => (isFloating(each) && !fixed?.includes(i) ? [i] : []))

/** Σ c·y over the operator's outputs; the cotangents c are further inputs, with generic numbers. */
export function lossGraphOf(
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
