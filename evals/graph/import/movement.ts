/** @file Operators of exported decoders that move elements. Shapes are known; sizes may be symbols. */
import { multiply, normaliseAxis } from '../shape.ts'
import type { Dim, Shape, Value } from '../value.ts'
import { isKnown, type NodeContext, type Operator } from './item.ts'
import { known, MOST_KNOWN, sizeOf, type Known } from './known.ts'

/** a/b, if b's number divides a's and a has all of b's symbols. */
function divide(a: Dim, b: Dim): Dim | undefined {
  const parts = (dim: Dim) => {
    const all = String(dim).split('*')
    const isNumber = (part: string) => /^\d+$/u.test(part)
    const factor = all.filter(isNumber).reduce((product, part) => product * Number(part), 1)
    return { factor, names: all.filter((part) => !isNumber(part)) }
  }
  const [over, under] = [parts(a), parts(b)]
  const names = [...over.names]
  for (const name of under.names) {
    const at = names.indexOf(name)
    if (at < 0) return undefined
    names.splice(at, 1)
  }
  const factor = over.factor / under.factor
  return Number.isInteger(factor) ? multiply(factor, ...names) : undefined
}

/** The shape requested by Reshape's second input: 0 copies a size, −1 takes the rest. */
function targetShape(shape: Shape, asked: readonly Dim[], keepsZero: boolean): Shape | undefined {
  const target = asked.map((dim, i) => (dim === 0 && !keepsZero ? shape[i]! : dim))
  const open = target.indexOf(-1)
  if (open < 0) return target
  const rest = divide(multiply(...shape), multiply(...target.toSpliced(open, 1)))
  return rest === undefined ? undefined : target.with(open, rest)
}

/** The shape after Reshape, Flatten, Squeeze or Unsqueeze, which keep the order of elements. */
function newShape(shape: Shape, context: NodeContext): Shape {
  const { node, entries, number, numbers, refuse } = context
  const axesIn = (rank: number) => {
    const axes = numbers('axes') ?? (entries(1) as readonly number[] | undefined)
    return axes?.map((axis) => (axis < 0 ? axis + rank : axis))
  }
  switch (node.opType) {
    case 'Flatten': {
      const axis = number('axis', 1)
      return [multiply(...shape.slice(0, axis)), multiply(...shape.slice(axis))]
    }
    case 'Squeeze': {
      const axes = axesIn(shape.length)
      return shape.filter((dim, axis) => !(axes ? axes.includes(axis) : dim === 1))
    }
    case 'Unsqueeze': {
      const axes = axesIn(shape.length + (numbers('axes') ?? entries(1) ?? []).length) ?? []
      return [...axes].sort((a, b) => a - b).reduce((all, axis) => all.toSpliced(axis, 0, 1), shape)
    }
    default: {
      const asked = entries(1)
      const target = asked && targetShape(shape, asked, number('allowzero', 0) === 1)
      if (!target) throw refuse('a shape that is not known')
      return target
    }
  }
}

export const reshaped: Operator = (context) => {
  const { g, inputs } = context
  const x = inputs[0]!
  if (isKnown(x)) {
    const dims = newShape(x.dims, context) as readonly number[]
    return [known(x.dtype, dims, x.entries)]
  }
  return [g.reshape(x, newShape(x.shape, context))]
}

export const concat: Operator = ({ g, inputs, value, number, refuse }) => {
  const all = inputs.filter((item) => item !== undefined)
  if (all.every((item) => isKnown(item) && item.dims.length === 1)) {
    const entries = (all as Known[]).flatMap((item) => item.entries)
    return [known((all[0] as Known).dtype, [entries.length], entries)]
  }
  const parts = all.map((_, i) => value(i))
  const axis = normaliseAxis('Concat', number('axis', 0), parts[0]!.shape)
  const filled = parts.filter(({ shape }) => shape[axis] !== 0)
  if (filled.length <= 1) return [filled[0] ?? parts[0]!]
  if (!filled.every(({ shape }) => typeof shape[axis] === 'number'))
    throw refuse('parts of unknown sizes')
  return [g.concat(filled, axis)]
}

export const gather: Operator = (context) => {
  const { g, inputs, value, number, refuse } = context
  const [x, indices] = [inputs[0]!, inputs[1]!]
  if (isKnown(x)) {
    if (isKnown(indices) && x.dims.length === 1 && number('axis', 0) === 0)
      return [pick(x, indices)]
    if (x.dims.length === 0) throw refuse('a scalar')
  }
  const data = value(0)
  const axis = normaliseAxis('Gather', number('axis', 0), data.shape)
  const size = data.shape[axis]!
  if (isKnown(indices) && indices.dims.length === 0) {
    const [index] = indices.entries
    if (typeof index !== 'number' || typeof size !== 'number')
      throw refuse('a place that is not known')
    const at = index < 0 ? index + size : index
    return [g.reshape(g.slice(data, axis, at, at + 1), data.shape.toSpliced(axis, 1))]
  }
  if (axis !== 0) throw refuse('rows along an inner axis')
  return [g.gatherRows(data, value(1))]
}

function pick(x: Known, indices: Known): Known {
  const entries = indices.entries.map((index) => x.entries.at(Number(index))!)
  return known(x.dtype, indices.dims, entries)
}

/** A bound as in ONNX: from the end if negative, clipped to the size. */
const clamped = (bound: number, size: number): number =>
  Math.max(0, Math.min(size, bound < 0 ? bound + size : bound))

/** Exporters write the largest integer for "to the end". */
const ENDLESS = 2 ** 31 - 1

export const slice: Operator = (context) => {
  const { g, inputs, entries, value, refuse } = context
  const [starts, ends, axes, steps] = [entries(1), entries(2), entries(3), entries(4)]
  if (!starts || !ends || (inputs[3] && !axes) || steps?.some((step) => step !== 1))
    throw refuse('bounds that are not known')
  const first = inputs[0]!
  if (isKnown(first) && first.dims.length === 1) {
    const [start, end] = [starts[0], ends[0]].map((bound) => clamped(Number(bound), first.dims[0]!))
    const part = first.entries.slice(start, end)
    return [known(first.dtype, [part.length], part)]
  }
  const sliced = starts.reduce<Value>((x, start, i) => {
    const axis = normaliseAxis('Slice', Number(axes?.[i] ?? i), x.shape)
    const [size, end] = [x.shape[axis]!, ends[i]!]
    if (start === 0 && (end === size || (typeof end === 'number' && end >= ENDLESS))) return x
    if ([size, start, end].some((bound) => typeof bound !== 'number'))
      throw refuse('bounds that are not known')
    const [from, to] = [start, end].map((bound) => clamped(bound as number, size as number))
    return from === 0 && to === size ? x : g.slice(x, axis, from!, to!)
  }, value(0))
  return [sliced]
}

export const split: Operator = ({ g, node, value, entries, number, numbers, refuse }) => {
  const x = value(0)
  const axis = normaliseAxis('Split', number('axis', 0), x.shape)
  const size = x.shape[axis]!
  const count = node.outputs.length
  const sizes = numbers('split') ?? entries(1) ?? Array<Dim>(count).fill(divide(size, count) ?? -1)
  if (!sizes.every((part) => typeof part === 'number' && part > 0))
    throw refuse('parts of unknown sizes')
  let start = 0
  return (sizes as readonly number[]).map((part) => g.slice(x, axis, start, (start += part)))
}

/** A known scalar expanded to a known shape. */
export function stretched(
  { dtype, dims, entries }: Known,
  target: readonly Dim[],
): Known | undefined {
  if (!target.every((dim) => typeof dim === 'number') || sizeOf(dims) !== 1) return undefined
  const rank = Math.max(dims.length, target.length)
  const full = [...Array<number>(rank - target.length).fill(1), ...target]
  if (sizeOf(full) > MOST_KNOWN) return undefined
  return known(dtype, full, Array<Dim>(sizeOf(full)).fill(entries[0]!))
}
