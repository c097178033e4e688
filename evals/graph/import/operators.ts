/**
 * @file The operators of exported decoders in terms of ours. known.ts computes them on known inputs. Operators without a
 * gradient are copied (`Opaque`).
 */
import type { Graph } from '../ops/index.ts'
import { broadcast, multiply, normaliseAxis } from '../shape.ts'
import { isFloat, type Dtype, type Value } from '../value.ts'
import type { FileNode } from './graph-file.ts'
import { opaque, sizesOf, type NodeContext, type Operator } from './item.ts'
import { known, numbersOf } from './known.ts'
import { concat, gather, reshaped, slice, split } from './movement.ts'

const unary =
  (name: 'neg' | 'exp' | 'log' | 'sin' | 'cos' | 'sqrt' | 'tanh' | 'sigmoid' | 'erf'): Operator =>
  ({ g, value }) => [g[name](value(0))]

const binary =
  (name: 'add' | 'sub' | 'mul' | 'div'): Operator =>
  ({ g, value }) => [g[name](value(0), value(1))]

/** Comparisons of integers or booleans; not differentiated. */
const comparison: Operator = ({ g, node, value }) => {
  const [a, b] = [value(0), value(1)]
  const shape = broadcast(node.opType, a.shape, b.shape)
  return [opaque(g, node.opType, [a, b], { dtype: 'bool', shape })]
}

/** Max or Min of integers, as in position arithmetic. */
const extreme: Operator = ({ g, node, inputs, value, refuse }) => {
  const all = inputs.map((_, i) => value(i))
  if (all.some(({ dtype }) => isFloat(dtype))) throw refuse('floats')
  const shape = all.map((x) => x.shape).reduce((a, b) => broadcast(node.opType, a, b))
  return [opaque(g, node.opType, all, { dtype: all[0]!.dtype, shape })]
}

const power: Operator = ({ g, value, entries, refuse }) => {
  const x = value(0)
  const [exponent, ...rest] = entries(1) ?? []
  if (rest.length > 0 || typeof exponent !== 'number') throw refuse('an exponent that is not known')
  if (exponent === 2) return [g.mul(x, x)]
  if (exponent === 3) return [g.mul(g.mul(x, x), x)]
  if (exponent === 0.5) return [g.sqrt(x)]
  if (exponent === -0.5) return [g.div(g.scalar(1), g.sqrt(x))]
  throw refuse(`the exponent ${exponent}`)
}

const cast: Operator = ({ g, node, value }) => {
  const x = value(0)
  const to = CASTS[node.attributes.get('to') as number]
  const dtype = to === undefined || to === 'float' ? g.float : to
  return [x.dtype === dtype ? x : g.cast(x, dtype)]
}

/** By ONNX's type number; every float becomes the graph's own. */
export const CASTS: Readonly<Record<number, Dtype | 'float'>> = {
  1: 'float',
  10: 'float',
  11: 'float',
  16: 'float',
  6: 'int32',
  7: 'int64',
  9: 'bool',
}

/** Stacks of matrices of equal rank, or one matrix on the right. */
const matMul: Operator = ({ g, value, refuse }) => {
  const [a, b] = [value(0), value(1)]
  if (a.shape.length < 2 || b.shape.length < 2) throw refuse('a vector')
  return [g.matMul(a, b)]
}

const gemm: Operator = ({ g, inputs, value, number }) => {
  const [a, b] = [value(0), value(1)]
  const left = number('transA', 0) === 1 ? g.transpose(a) : a
  const product = number('transB', 0) === 1 ? g.matMulT(left, b) : g.matMul(left, b)
  const [alpha, beta] = [number('alpha', 1), number('beta', 1)]
  const scaled = alpha === 1 ? product : g.mul(product, g.scalar(alpha))
  if (inputs[2] === undefined) return [scaled]
  return [g.add(scaled, beta === 1 ? value(2) : g.mul(value(2), g.scalar(beta)))]
}

/** Axes as an attribute, or as an input since opset 13 or 18. */
function axesOf({ entries, numbers, value }: NodeContext): number[] {
  const axes = numbers('axes') ?? (entries(1) as readonly number[] | undefined)
  const { shape } = value(0)
  return (axes ?? shape.map((_, axis) => axis)).map((axis) => normaliseAxis('Reduce', axis, shape))
}

const mean: Operator = (context) => {
  const { g, value, number, refuse } = context
  const [x, axes] = [value(0), axesOf(context)]
  const counts = axes.map((axis) => x.shape[axis]!)
  if (!counts.every((count) => typeof count === 'number')) throw refuse('a mean over unknown sizes')
  const keepDims = number('keepdims', 1) === 1
  const count = counts.reduce((a, b) => a * b, 1)
  return [g.mul(g.reduceSum(x, axes, { keepDims }), g.scalar(1 / count))]
}

const sum: Operator = (context) => {
  const keepDims = context.number('keepdims', 1) === 1
  return [context.g.reduceSum(context.value(0), axesOf(context), { keepDims })]
}

const softmax: Operator = ({ g, value, number, refuse }) => {
  const x = value(0)
  if (normaliseAxis('Softmax', number('axis', -1), x.shape) !== x.shape.length - 1)
    throw refuse('an axis that is not the last')
  return [g.softmax(x)]
}

/** Applies f to x `[..., n]` as rows `[·, n]`. */
function byRows(g: Graph, x: Value, f: (rows: Value) => Value): Value {
  const n = x.shape.at(-1)!
  const rows = g.reshape(x, [multiply(...x.shape.slice(0, -1)), n])
  return g.reshape(f(rows), x.shape)
}

const layerNorm: Operator = ({ g, inputs, value, number, refuse }) => {
  const [x, w] = [value(0), value(1)]
  if (normaliseAxis('LayerNormalization', number('axis', -1), x.shape) !== x.shape.length - 1)
    throw refuse('an axis that is not the last')
  const b = inputs[2] === undefined ? g.mul(w, g.scalar(0)) : value(2)
  return [byRows(g, x, (rows) => g.layerNorm(rows, w, b, number('epsilon', 1e-5)))]
}

const rmsNorm: Operator = ({ g, value, number }) => {
  const [x, w] = [value(0), value(1)]
  return [byRows(g, x, (rows) => g.rmsNorm(rows, w, number('epsilon', 1e-5)))]
}

const gelu: Operator = ({ g, node, value }) => [
  node.attributes.get('approximate') === 'tanh' ? g.geluTanh(value(0)) : g.gelu(value(0)),
]

const where: Operator = ({ g, value }) => {
  const [condition, a, b] = [value(0), value(1), value(2)]
  if (isFloat(a.dtype)) return [g.where(condition, a, b)]
  const shape = broadcast('Where', broadcast('Where', condition.shape, a.shape), b.shape)
  return [opaque(g, 'Where', [condition, a, b], { dtype: a.dtype, shape })]
}

const expand: Operator = ({ g, value, entries, refuse }) => {
  const [x, target] = [value(0), entries(1)]
  if (!target) throw refuse('a shape that is not known')
  const shape = broadcast('Expand', x.shape, target)
  if (isFloat(x.dtype)) return [g.add(x, g.filled(shape, 0))]
  return [opaque(g, 'Expand', [x, sizesOf(g, shape)], { dtype: x.dtype, shape })]
}

/** start, start + 1, … up to a symbolic size. */
const range: Operator = ({ g, value, entries, refuse }) => {
  const [start, limit, delta] = [0, 1, 2].map((i) => entries(i)?.[0])
  if (start !== 0 || delta !== 1 || limit === undefined) throw refuse('bounds that are not known')
  const bounds = [value(0), value(1), value(2)].map((x) => g.cast(x, 'int64'))
  return [opaque(g, 'Range', bounds, { dtype: 'int64', shape: [limit] })]
}

const constantOfShape: Operator = ({ g, node, entries, refuse }) => {
  const shape = entries(0)
  if (!shape) throw refuse('a shape that is not known')
  const filling = fillingOf(node)
  if (!filling) throw refuse('a value whose storage type is not known')
  if (isFloat(filling.dtype)) return [g.filled(shape, filling.value)]
  const scalar = g.constant([filling.value], filling.dtype, [])
  const type = { dtype: filling.dtype, shape }
  return [opaque(g, 'Expand', [scalar, sizesOf(g, shape)], type)]
}

/** What ConstantOfShape fills with, a float32 0 where it does not say; undefined for numbers that are not read here. */
export function fillingOf({ attributes }: FileNode) {
  const tensor = attributes.get('value')
  if (typeof tensor !== 'object' || !('place' in tensor)) {
    return { dtype: 'float32' as const, value: 0 }
  }
  const [value] = numbersOf(tensor) ?? []
  return value === undefined ? undefined : { dtype: tensor.dtype!, value }
}

const cumSum: Operator = ({ g, value, entries, refuse }) => {
  const axis = entries(1)?.[0]
  if (typeof axis !== 'number') throw refuse('an axis that is not known')
  return [g.cumSum(value(0), axis)]
}

/** Gathers by several indices; for masks only. */
const gatherNd: Operator = ({ g, value, number, refuse }) => {
  const [x, indices] = [value(0), value(1)]
  const width = indices.shape.at(-1)
  if (isFloat(x.dtype) || typeof width !== 'number' || number('batch_dims', 0) !== 0)
    throw refuse('a gradient through picked rows')
  const shape = [...indices.shape.slice(0, -1), ...x.shape.slice(width)]
  return [opaque(g, 'GatherND', [x, indices], { dtype: x.dtype, shape })]
}

const same: Operator = ({ inputs }) => [inputs[0]!]

/** Standard operators by name; contrib ones by `domain:name`. */
export const OPERATORS: Readonly<Record<string, Operator>> = {
  Add: binary('add'),
  Sub: binary('sub'),
  Mul: binary('mul'),
  Div: binary('div'),
  Neg: unary('neg'),
  Exp: unary('exp'),
  Log: unary('log'),
  Sin: unary('sin'),
  Cos: unary('cos'),
  Sqrt: unary('sqrt'),
  Tanh: unary('tanh'),
  Sigmoid: unary('sigmoid'),
  Erf: unary('erf'),
  Reciprocal: ({ g, value }) => [g.div(g.scalar(1), value(0))],
  Pow: power,
  Equal: comparison,
  Less: comparison,
  LessOrEqual: comparison,
  Greater: comparison,
  GreaterOrEqual: comparison,
  And: comparison,
  Or: comparison,
  Not: ({ g, value }) => [opaque(g, 'Not', [value(0)], { dtype: 'bool', shape: value(0).shape })],
  Max: extreme,
  Min: extreme,
  Cast: cast,
  MatMul: matMul,
  Gemm: gemm,
  ReduceMean: mean,
  ReduceSum: sum,
  Softmax: softmax,
  LayerNormalization: layerNorm,
  RMSNormalization: rmsNorm,
  Gelu: gelu,
  SimplifiedLayerNormalization: rmsNorm,
  Where: where,
  Expand: expand,
  Range: range,
  ConstantOfShape: constantOfShape,
  CumSum: cumSum,
  GatherND: gatherNd,
  Gather: gather,
  Slice: slice,
  Split: split,
  Reshape: reshaped,
  Flatten: reshaped,
  Squeeze: reshaped,
  Unsqueeze: reshaped,
  Transpose: ({ g, value, numbers }) => {
    const x = value(0)
    return [g.transpose(x, numbers('perm') ?? [...x.shape.keys()].reverse())]
  },
  Concat: concat,
  Shape: ({ value, number }) => {
    const { shape } = value(0)
    const part = shape.slice(number('start', 0), number('end', shape.length))
    return [known('int64', [part.length], part)]
  },
  Identity: same,
  Dropout: same,
  'com.microsoft:Gelu': gelu,
  'com.microsoft:FastGelu': ({ g, value }) => [g.geluTanh(value(0))],
}
