/**
 * @file Reverse mode: walks the applied operators backwards, sums what arrives at each value, and un-broadcasts once, here,
 * so that no operator's rule thinks about it.
 */
import type { Graph } from './ops/index.ts'
import { sameShape } from './shape.ts'
import type { Shape, Value } from './value.ts'

/**
 * Gradients of the scalar `loss` with respect to `wrt`, in order. Only operators between `wrt` and `loss` are visited, so a
 * frozen lower part of a model costs nothing. A value that does not reach the loss gets a gradient of zeros.
 */
export function gradients(g: Graph, loss: Value, wrt: readonly Value[]): Value[] {
  const reaching = dependents(g, wrt)
  const arriving = new Map<Value, Value>([[loss, g.scalar(1)]])
  const applications = [...g.applications]
  for (const { op, inputs, outputs, kept, attributes } of applications.reverse()) {
    const dOutputs = outputs.map((output) => arriving.get(output))
    const dY = dOutputs.find((d) => d !== undefined)
    if (!dY || op.vjp === 'none' || !inputs.some((input) => reaching.has(input))) continue
    const dInputs = op.vjp({ g, inputs, outputs, kept, attributes, dOutputs, dY })
    inputs.forEach((input, i) => {
      const d = dInputs[i]
      if (!d || !reaching.has(input)) return
      const fitted = sumTo(g, d, input.shape)
      const before = arriving.get(input)
      arriving.set(input, before ? g.add(before, fitted) : fitted)
    })
  }
  return wrt.map((value) => arriving.get(value) ?? g.filled(value.shape, 0))
}

/** Every value that depends on one of `sources`, the sources included. */
function dependents(g: Graph, sources: readonly Value[]): ReadonlySet<Value> {
  const reached = new Set(sources)
  for (const { inputs, outputs } of g.applications) {
    if (inputs.some((input) => reached.has(input))) outputs.forEach((output) => reached.add(output))
  }
  return reached
}

/** Sums `d` over the dimensions along which a value of `shape` was broadcast. */
function sumTo(g: Graph, d: Value, shape: Shape): Value {
  if (sameShape(d.shape, shape)) return d
  const extra = d.shape.length - shape.length
  const leading = Array.from({ length: extra }, (_, axis) => axis)
  const kept = extra > 0 ? g.reduceSum(d, leading, { keepDims: false }) : d
  const stretched = shape.flatMap((dim, axis) =>
    dim === 1 && kept.shape[axis] !== 1 ? [axis] : [],
  )
  return stretched.length > 0 ? g.reduceSum(kept, stretched, { keepDims: true }) : kept
}
