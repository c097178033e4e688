/** @file Operators that move elements without arithmetic: reshape, transpose, slice, concatenate, gather, scatter. */
import type { GraphCore } from '../builder.ts'
import type { Op } from '../op.ts'
import { formatShape, multiply, normaliseAxis, pieceOf, sameShape, ShapeError } from '../shape.ts'
import type { Dim, Dtype, Shape, Value } from '../value.ts'

export const Reshape: Op<Shape> = {
  name: 'Reshape',
  infer: ([x], shape) => {
    if (multiply(...x!.shape) !== multiply(...shape))
      throw new ShapeError('Reshape', x!.shape, shape)
    return { outputs: [{ dtype: x!.dtype, shape }] }
  },
  emit: ({ e, inputs: [x], attributes: shape }) => {
    // A single unknown size needs no feed, because ONNX infers it.
    const symbols = shape.filter((dim) => typeof dim === 'string').length
    const target =
      symbols === 1
        ? e.int64(shape.map((dim) => (typeof dim === 'string' ? -1 : dim)))
        : e.shape(shape)
    return { outputs: e.node('Reshape', [x!, target]) }
  },
  vjp: ({ g, inputs: [x], dY }) => [g.reshape(dY, x!.shape)],
}

export const Transpose: Op<readonly number[]> = {
  name: 'Transpose',
  infer: ([x], order) => ({
    outputs: [{ dtype: x!.dtype, shape: order.map((axis) => x!.shape[axis]!) }],
  }),
  emit: ({ e, inputs, attributes: order }) => ({
    outputs: e.node('Transpose', inputs, { perm: order }),
  }),
  vjp: ({ g, attributes: order, dY }) => [g.transpose(dY, inverse(order))],
}

const inverse = (order: readonly number[]): number[] => order.map((_, axis) => order.indexOf(axis))

/** Elements `start ≤ i < end` along `axis`, for known numbers. */
export const Slice: Op<{ axis: number; start: number; end: number }> = {
  name: 'Slice',
  infer: ([x], { axis, start, end }) => {
    const size = x!.shape[axis]
    if (typeof size !== 'number' || start < 0 || end > size || end <= start) {
      throw new ShapeError(`Slice(${start}:${end} of axis ${axis})`, x!.shape)
    }
    return { outputs: [{ dtype: x!.dtype, shape: x!.shape.with(axis, end - start) }] }
  },
  emit: ({ e, inputs: [x], attributes: { axis, start, end } }) => ({
    outputs: e.node('Slice', [x!, e.int64([start]), e.int64([end]), e.int64([axis])]),
  }),
  vjp: ({ g, inputs: [x], attributes: { axis, start, end }, dY }) => {
    const size = x!.shape[axis] as number
    const zeros = (length: number) => g.filled(x!.shape.with(axis, length), 0)
    const parts = [
      ...(start > 0 ? [zeros(start)] : []),
      dY,
      ...(end < size ? [zeros(size - end)] : []),
    ]
    return [g.concat(parts, axis)]
  },
}

export const Concat: Op<number> = {
  name: 'Concat',
  infer: (inputs, axis) => {
    const sizes = inputs.map(({ shape }) => shape[axis]!)
    if (sizes.some((size) => typeof size !== 'number')) {
      throw new Error(
        `internal: Concat needs known sizes along axis ${axis}, got ${inputs.map(({ shape }) => formatShape(shape)).join(', ')}`,
      )
    }
    const total = (sizes as number[]).reduce((sum, size) => sum + size, 0)
    return { outputs: [{ dtype: inputs[0]!.dtype, shape: inputs[0]!.shape.with(axis, total) }] }
  },
  emit: ({ e, inputs, attributes: axis }) => ({ outputs: e.node('Concat', inputs, { axis }) }),
  vjp: ({ g, inputs, attributes: axis, dY }) => {
    let start = 0
    return inputs.map(({ shape }) => g.slice(dY, axis, start, (start += shape[axis] as number)))
  },
}

/**
 * Appends y to x along `axis`, as a cache and its new tokens; `total` is the sum of two sizes known only at run time. Not
 * differentiable: nothing is trained through a cache.
 */
export const Append: Op<{ axis: number; total: Dim }> = {
  name: 'Append',
  infer: ([x, y], { axis, total }) => {
    const shape = x!.shape.with(axis, total)
    if (!sameShape(shape, y!.shape.with(axis, total)))
      throw new ShapeError('Append', x!.shape, y!.shape)
    return { outputs: [{ dtype: x!.dtype, shape }] }
  },
  emit: ({ e, inputs, attributes: { axis } }) => ({ outputs: e.node('Concat', inputs, { axis }) }),
  vjp: 'none',
}

/** A tensor filled with one number. */
export const Filled: Op<{ shape: Shape; value: number; dtype: Dtype }> = {
  name: 'Filled',
  infer: (_, { dtype, shape }) => ({ outputs: [{ dtype, shape }] }),
  emit: ({ e, attributes: { shape, value } }) => ({
    outputs: e.node('Expand', [e.scalar(value), e.shape(shape)]),
  }),
  vjp: 'none',
}

/** Rows of a table: x `[n, ...rest]`, indices int32 `[...k]` → `[...k, ...rest]`. The gradient sums repeated rows. */
export const GatherRows: Op = {
  name: 'GatherRows',
  infer: ([x, indices]) => ({
    outputs: [{ dtype: x!.dtype, shape: [...indices!.shape, ...x!.shape.slice(1)] }],
  }),
  emit: ({ e, inputs }) => ({ outputs: e.node('Gather', inputs, { axis: 0 }) }),
  vjp: ({ g, inputs: [x, indices], dY }) => {
    const count = multiply(...indices!.shape)
    const flat = g.reshape(dY, [count, ...x!.shape.slice(1)])
    return [g.scatterAddRows(x!.shape, g.reshape(indices!, [count]), flat), undefined]
  },
}

/**
 * The gradient of GatherRows: zeros of `shape`, plus updates `[count, ...rest]` at rows indices int32 `[count]`. Uses
 * ScatterElements, which adds sequentially; ScatterND's threads race on repeated rows and lose sums.
 */
export const ScatterAddRows: Op<Shape> = {
  name: 'ScatterAddRows',
  infer: ([, updates], shape) => ({ outputs: [{ dtype: updates!.dtype, shape }] }),
  emit: ({ e, inputs: [indices, updates], types, attributes: shape }) => {
    const target = types[1]!.shape
    const [zeros] = e.node('Expand', [e.scalar(0), e.shape(shape)])
    const axes = target.slice(1).map((_, i) => i + 1)
    const column = axes.length === 0 ? indices! : e.node('Unsqueeze', [indices!, e.int64(axes)])[0]!
    const [wide] = e.node('Expand', [column, e.shape(target)])
    return {
      outputs: e.node('ScatterElements', [zeros!, wide!, updates!], { axis: 0, reduction: 'add' }),
    }
  },
  vjp: ({ g, inputs: [indices], dY }) => [undefined, g.gatherRows(dY, indices!)],
}

interface PieceAttributes {
  readonly axis: number
  readonly from: number
  readonly to: number
  readonly count: number
}

/** A part of an axis of n elements, from ⌊n·from/count⌋ to ⌊n·to/count⌋, computed at run time. */
export const Piece: Op<PieceAttributes> = {
  name: 'Piece',
  isLight: true,
  infer: ([x], { axis, from, to, count }) => {
    const size = pieceOf(x!.shape[axis]!, from, to, count)
    return { outputs: [{ dtype: x!.dtype, shape: x!.shape.with(axis, size) }] }
  },
  emit: ({ e, inputs: [x], types, attributes: { axis, from, to, count } }) => {
    const cut = (at: number) => e.shape([pieceOf(types[0]!.shape[axis]!, 0, at, count)])
    return { outputs: e.node('Slice', [x!, cut(from), cut(to), e.int64([axis])]) }
  },
  vjp: ({ g, inputs: [x], attributes, dY }) => [
    g.apply(AmongZeros, [dY], { ...attributes, size: x!.shape[attributes.axis]! })[0],
  ],
}

/** A piece at its position along an axis of `size` elements, zero elsewhere. */
export const AmongZeros: Op<PieceAttributes & { readonly size: Dim }> = {
  name: 'AmongZeros',
  infer: ([x], { axis, size }) => ({
    outputs: [{ dtype: x!.dtype, shape: x!.shape.with(axis, size) }],
  }),
  emit: ({ e, inputs: [x], types, attributes: { axis, from, to, count, size } }) => {
    const none = types[0]!.shape.map((): Dim => 0)
    const before = none.with(axis, pieceOf(size, 0, from, count))
    const behind = none.with(axis, pieceOf(size, to, count, count))
    return { outputs: e.node('Pad', [x!, e.shape([...before, ...behind])]) }
  },
  vjp: ({ g, attributes, dY }) => [g.apply(Piece, [dY], attributes)[0]],
}

/** Concatenates all pieces of an axis of `size` elements. */
export const Joined: Op<{ readonly axis: number; readonly size: Dim }> = {
  name: 'Joined',
  isLight: true,
  infer: ([x], { axis, size }) => ({
    outputs: [{ dtype: x!.dtype, shape: x!.shape.with(axis, size) }],
  }),
  emit: ({ e, inputs, attributes: { axis } }) => ({ outputs: e.node('Concat', inputs, { axis }) }),
  vjp: ({ g, inputs, attributes: { axis }, dY }) =>
    inputs.map((_, i) => g.piece(dY, axis, [i, i + 1], inputs.length)),
}

/** A zero `[]` in the dialect's float that depends on all inputs. */
export const Moment: Op = {
  name: 'Moment',
  infer: ([x]) => ({ outputs: [{ dtype: x!.dtype, shape: [] }] }),
  emit: ({ e, inputs }) => {
    const sizes = inputs.map((x) => e.node('Size', [x])[0]!)
    const [largest] = e.node('Max', sizes)
    const [zero] = e.node('Sub', [largest!, largest!])
    return { outputs: e.node('Cast', [zero!], { to: { type: e.dialect.float } }) }
  },
  vjp: 'none',
}

/**
 * x with the same bits, delayed until `moment` is available: a reshape to x's own run-time shape, which ONNX Runtime does in
 * place.
 */
export const After: Op = {
  name: 'After',
  infer: ([x]) => ({ outputs: [x!] }),
  emit: ({ e, inputs: [x, moment], types }) => {
    const { shape } = types[0]!
    const isKnown = shape.every((dim) => typeof dim === 'number')
    const own = isKnown ? e.int64(shape) : e.node('Shape', [x!])[0]!
    const [zero] = e.node('Cast', [moment!], { to: { type: 'int64' } })
    const [late] = e.node('Add', [own, zero!])
    return { outputs: e.node('Reshape', [x!, late!]) }
  },
  vjp: 'none',
}

export const movement = (g: GraphCore) => ({
  reshape: (x: Value, shape: Shape) => g.apply(Reshape, [x], shape)[0]!,
  /** Swaps the last two axes unless `order` is given. */
  transpose: (x: Value, order?: readonly number[]) => {
    const axes = x.shape.map((_, axis) => axis)
    const swapped = [...axes.slice(0, -2), axes.length - 1, axes.length - 2]
    return g.apply(Transpose, [x], order ?? swapped)[0]!
  },
  slice: (x: Value, axis: number, start: number, end: number) =>
    g.apply(Slice, [x], { axis: normaliseAxis('Slice', axis, x.shape), start, end })[0]!,
  concat: (parts: readonly Value[], axis: number) =>
    g.apply(Concat, parts, normaliseAxis('Concat', axis, parts[0]!.shape))[0]!,
  append: (x: Value, y: Value, axis: number, total: Dim) =>
    g.apply(Append, [x, y], { axis, total })[0]!,
  filled: (shape: Shape, value: number) =>
    g.apply(Filled, [], { shape, value, dtype: g.float })[0]!,
  gatherRows: (x: Value, indices: Value) => g.apply(GatherRows, [x, indices], undefined)[0]!,
  /** A zero that depends on all of `values`. No gradient. */
  moment: (values: readonly Value[]) => g.apply(Moment, values, undefined)[0]!,
  /** x, delayed until `moment` is available. No gradient. */
  after: (x: Value, moment: Value) => g.apply(After, [x, moment], undefined)[0]!,
  piece: (x: Value, axis: number, [from, to]: readonly [number, number], count: number) =>
    to - from === count ? x : g.apply(Piece, [x], { axis, from, to, count })[0]!,
  joined: (pieces: readonly Value[], axis: number, size: Dim) =>
    pieces.length === 1 ? pieces[0]! : g.apply(Joined, pieces, { axis, size })[0]!,
  scatterAddRows: (shape: Shape, indices: Value, updates: Value) =>
    g.apply(ScatterAddRows, [indices, updates], shape)[0]!,
})
