/**
 * @file Reverse-mode differentiation: walks the applied operators backwards and sums the gradients of each value. Broadcasting
 * is undone here, not in the operators' rules. With checkpointing, a segment (`g.segment`) is recomputed when the walk reaches
 * it, so that until then only its inputs are kept in memory.
 */
import type { Application } from './builder.ts'
import type { Graph } from './ops/index.ts'
import { sameShape } from './shape.ts'
import type { Shape, Value } from './value.ts'

/**
 * Gradients of the scalar `loss` with respect to `wrt`, in order. `loss` may instead map intermediate values to their gradients.
 * Visits only operators between `wrt` and the loss, so frozen lower layers cost nothing. A value that does not reach the loss
 * gets a gradient of zeros.
 */
export function gradients(
  g: Graph,
  loss: Value | ReadonlyMap<Value, Value>,
  wrt: readonly Value[],
  { checkpointing = false }: { readonly checkpointing?: boolean } = {},
): Value[] {
  const reaching = dependents(g, wrt)
  const arriving = new Map('name' in loss ? [[loss, g.scalar(1)]] : loss)
  const waited = new Set<Value>()
  // Recomputation also waits for the gradients of later layers, which keep their operands in memory until computed.
  const finished = (outputs: readonly Value[]) => {
    const values = [...outputs, ...wrt].filter((value) => arriving.has(value) && !waited.has(value))
    values.forEach((value) => waited.add(value))
    return values.map((value) => arriving.get(value)!)
  }
  for (const { applications, isSegment } of pieces(g).reverse()) {
    const outputs = applications.flatMap((each) => each.outputs)
    const isAgain = checkpointing && isSegment && outputs.some((value) => arriving.has(value))
    const read = isAgain
      ? computedAgain(g, applications, reaching, finished(outputs))
      : lightAgain(g, applications)
    for (const application of [...applications].reverse())
      goBack(g, application, { arriving, reaching, read })
  }
  return wrt.map((value) => arriving.get(value) ?? g.filled(value.shape, 0))
}

interface Walk {
  /** Gradients so far, by the value of the forward pass. */
  readonly arriving: Map<Value, Value>
  readonly reaching: ReadonlySet<Value>
  /** The value that a rule reads in place of a forward value: itself, or recomputed once `dY` is available. */
  readonly read: (value: Value, dY: Value) => Value
}

function goBack(
  g: Graph,
  { op, inputs, outputs, kept, attributes }: Application,
  { arriving, reaching, read }: Walk,
): void {
  const dY = outputs.map((output) => arriving.get(output)).find((d) => d !== undefined)
  if (!dY || op.vjp === 'none' || !inputs.some((input) => reaching.has(input))) return
  // `encode` leaves out nodes that no rule reads.
  const given = (value: Value) => read(value, dY)
  const dInputs = op.vjp({
    g,
    attributes,
    dY,
    inputs: inputs.map(given),
    outputs: outputs.map(given),
    kept: Object.fromEntries(Object.entries(kept).map(([name, value]) => [name, given(value)])),
  })
  inputs.forEach((input, i) => {
    const d = dInputs[i]
    if (!d || !reaching.has(input)) return
    const fitted = sumTo(g, d, input.shape)
    const before = arriving.get(input)
    arriving.set(input, before ? g.add(before, fitted) : fitted)
  })
}

/** Recomputes the outputs of light operators when the first gradient that needs them is available. */
function lightAgain(g: Graph, applications: readonly Application[]): Walk['read'] {
  const light = new Map(
    applications.flatMap((each) => (each.op.isLight ? [[each.outputs[0]!, each] as const] : [])),
  )
  const again = new Map<Value, Value>()
  const read = (value: Value, dY: Value): Value => {
    const made = light.get(value)
    if (!made || again.has(value)) return again.get(value) ?? value
    const inputs = made.inputs.map((input) => read(input, dY))
    if (inputs.every((input, i) => input === made.inputs[i]))
      inputs[0] = g.after(inputs[0]!, g.moment([dY]))
    again.set(value, g.apply(made.op, inputs, made.attributes)[0]!)
    return again.get(value)!
  }
  return read
}

/** All applications in order, cut at the borders of segments. */
function pieces({ applications, segments }: Graph) {
  const cuts = [...segments.flatMap(({ start, end }) => [start, end]), applications.length]
  return cuts.map((end, i) => ({
    applications: applications.slice(cuts[i - 1] ?? 0, end),
    isSegment: i % 2 === 1,
  }))
}

/**
 * Applies a segment's operators again once the values `late` are available, and returns the map from forward values to the
 * recomputed ones. Values that depend on no trained parameter are reused. The recomputed values have the same bits.
 */
function computedAgain(
  g: Graph,
  applications: readonly Application[],
  reaching: ReadonlySet<Value>,
  late: readonly Value[],
): (value: Value) => Value {
  const again = new Map<Value, Value>()
  const read = (value: Value) => again.get(value) ?? value
  const moment = g.moment(late)
  for (const { op, attributes, inputs, outputs, kept } of applications) {
    // Delaying one input delays the operator, so its weights need no copy.
    if (!inputs.some((input) => again.has(input)))
      for (const input of inputs) if (reaching.has(input)) again.set(input, g.after(input, moment))
    if (!inputs.some((input) => again.has(input))) continue
    const made = g.apply(op, inputs.map(read), attributes)
    outputs.forEach((output, i) => again.set(output, made[i]!))
    const keptAgain = g.applications.at(-1)!.kept
    for (const [name, value] of Object.entries(kept)) again.set(value, keptAgain[name]!)
  }
  return read
}

/** Every value that depends on one of `sources`, the sources included. */
function dependents(g: Graph, sources: readonly Value[]): ReadonlySet<Value> {
  const reached = new Set(sources)
  for (const { inputs, outputs } of g.applications) {
    if (inputs.some((input) => reached.has(input))) outputs.forEach((output) => reached.add(output))
  }
  return reached
}

/** Sums `d` over the dimensions along which `shape` was broadcast. */
function sumTo(g: Graph, d: Value, shape: Shape): Value {
  if (sameShape(d.shape, shape)) return d
  const leading = [...d.shape.keys()].slice(0, Math.max(0, d.shape.length - shape.length))
  const kept = leading.length > 0 ? g.reduceSum(d, leading, { keepDims: false }) : d
  const isStretched = (axis: number) => shape[axis] === 1 && kept.shape[axis] !== 1
  const stretched = [...shape.keys()].filter(isStretched)
  return stretched.length > 0 ? g.reduceSum(kept, stretched, { keepDims: true }) : kept
}
