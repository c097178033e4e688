/** @file Sums, maxima and cumulative sums over axes; softmax over the last one. */
import type { GraphCore } from '../builder.ts'
import type { Emitter, Op } from '../op.ts'
import { normaliseAxis } from '../shape.ts'
import type { Shape, Value } from '../value.ts'

interface Reduction {
  readonly axes: readonly number[]
  readonly keepDims: boolean
}

const reducedShape = (shape: Shape, { axes, keepDims }: Reduction): Shape =>
  keepDims
    ? shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim))
    : shape.filter((_, axis) => !axes.includes(axis))

const reduction = (opType: string, vjp: Op<Reduction>['vjp']): Op<Reduction> => ({
  name: opType,
  infer: ([x], attributes) => ({
    outputs: [{ dtype: x!.dtype, shape: reducedShape(x!.shape, attributes) }],
  }),
  emit: ({ e, inputs: [x], attributes: { axes, keepDims } }) => ({
    outputs: e.node(opType, [x!, e.int64(axes)], {
      keepdims: keepDims ? 1 : 0,
      // Otherwise ONNX treats an empty list of axes as all axes.
      noop_with_empty_axes: 1,
    }),
  }),
  vjp,
})

/** y = Σ x, so every element of x receives dY. */
export const ReduceSum = reduction('ReduceSum', ({ g, inputs: [x], attributes, dY }) => {
  const kept = attributes.keepDims
    ? dY
    : g.reshape(dY, reducedShape(x!.shape, { ...attributes, keepDims: true }))
  return [g.add(kept, g.filled(x!.shape, 0))]
})
/** Not differentiated; used below a stopped gradient only. */
export const ReduceMax = reduction('ReduceMax', 'none')

/** y_i = x_0 + … + x_i along an axis. For counting only; not differentiable. */
export const CumSum: Op<number> = {
  name: 'CumSum',
  infer: ([x]) => ({ outputs: [x!] }),
  emit: ({ e, inputs: [x], attributes: axis }) => ({
    outputs: e.node('CumSum', [x!, e.int64([axis])]),
  }),
  vjp: 'none',
}

/** Whether an element is among the k largest along the last axis: x `[..., n]` → bool `[..., n]`. */
export const AmongLargest: Op<number> = {
  name: 'AmongLargest',
  infer: ([x]) => ({ outputs: [{ dtype: 'bool', shape: x!.shape }] }),
  emit: ({ e, inputs: [x], types, attributes: k }) => {
    const n = types[0]!.shape.at(-1) as number
    const [, indices] = e.node('TopK', [x!, e.int64([k])], {}, 2)
    const [marks] = e.node('OneHot', [indices!, e.int64([n]), e.int64([0, 1])])
    const [among] = e.node('ReduceMax', [marks!, e.int64([-2])], { keepdims: 0 })
    return { outputs: e.node('Cast', [among!], { to: { type: 'bool' } }) }
  },
  vjp: 'none',
}

/** y = softmax(x) over the last axis; dx = y·(dY − Σ dY·y). */
export const Softmax: Op = {
  name: 'Softmax',
  infer: ([x]) => ({ outputs: [x!] }),
  emit: ({ e, inputs: [x] }) => ({ outputs: [softmax(e, x!)] }),
  vjp: ({ g, outputs: [y], dY }) => {
    const weighted = g.reduceSum(g.mul(dY, y!), [-1], { keepDims: true })
    return [g.mul(y!, g.sub(dY, weighted))]
  },
}

/** y = log softmax(x) over the last axis; dx = dY − exp(y)·Σ dY. */
export const LogSoftmax: Op = {
  name: 'LogSoftmax',
  infer: ([x]) => ({ outputs: [x!] }),
  emit: ({ e, inputs: [x] }) => ({ outputs: [logSoftmax(e, x!)] }),
  vjp: ({ g, outputs: [y], dY }) => [
    g.sub(dY, g.mul(g.exp(y!), g.reduceSum(dY, [-1], { keepDims: true }))),
  ],
}

/** e^(x − max x) and its sum over the last axis, kept with size 1. */
export function exponentials(
  e: Emitter,
  x: string,
): { shifted: string; powers: string; sum: string } {
  const [max] = e.node('ReduceMax', [x, e.int64([-1])], { keepdims: 1 })
  const [shifted] = e.node('Sub', [x, max!])
  const [powers] = e.node('Exp', [shifted!])
  const [sum] = e.node('ReduceSum', [powers!, e.int64([-1])], { keepdims: 1 })
  return { shifted: shifted!, powers: powers!, sum: sum! }
}

export function softmax(e: Emitter, x: string, form = e.dialect.softmax): string {
  if (form === 'whole') return e.node('Softmax', [x], { axis: -1 })[0]!
  const { powers, sum } = exponentials(e, x)
  return e.node('Div', [powers, sum])[0]!
}

/** In parts also where there is no such kernel (WebGPU has none). */
export function logSoftmax(e: Emitter, x: string): string {
  const { float, fused, softmax: form } = e.dialect
  if (float === 'float64' || (fused && form === 'whole'))
    return e.node('LogSoftmax', [x], { axis: -1 })[0]!
  const { shifted, sum } = exponentials(e, x)
  const [log] = e.node('Log', [sum])
  return e.node('Sub', [shifted, log!])[0]!
}

export const reductions = (g: GraphCore) => {
  const reduce =
    (op: Op<Reduction>) =>
    (x: Value, axes: readonly number[], { keepDims }: { keepDims: boolean }) =>
      g.apply(op, [x], {
        axes: axes.map((axis) => normaliseAxis(op.name, axis, x.shape)),
        keepDims,
      })[0]!
  return {
    reduceSum: reduce(ReduceSum),
    reduceMax: reduce(ReduceMax),
    cumSum: (x: Value, axis: number) =>
      g.apply(CumSum, [x], normaliseAxis('CumSum', axis, x.shape))[0]!,
    amongLargest: (x: Value, k: number) => g.apply(AmongLargest, [x], k)[0]!,
    softmax: (x: Value) => g.apply(Softmax, [x], undefined)[0]!,
    logSoftmax: (x: Value) => g.apply(LogSoftmax, [x], undefined)[0]!,
  }
}
