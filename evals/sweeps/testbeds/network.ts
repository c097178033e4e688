/**
 * @file A two-layer network on plain arrays: logits = max(0, x W₁ + b₁) W₂ + b₂, its mean cross-entropy and gradient.
 *
 * θ = W₁ `[inputs, width]`, b₁ `[width]`, W₂ `[width, classes]`, b₂ `[classes]`, one after another.
 */
import type { RandomStream } from '../../statistics/random.ts'

export interface Layout {
  readonly inputs: number
  readonly width: number
  readonly classes: number
}

/** `x` `[rows, inputs]`. */
export interface Labelled {
  readonly x: Float64Array
  readonly labels: readonly number[]
}

interface Evaluated {
  /** Mean cross-entropy in nats. */
  readonly loss: number
  /** Share of rows whose largest logit is another class's. */
  readonly error: number
}

function offsets({ inputs, width, classes }: Layout) {
  const b1 = inputs * width
  const W2 = b1 + width
  const b2 = W2 + width * classes
  return { b1, W2, b2, total: b2 + classes }
}

export const parameterCount = (layout: Layout): number => offsets(layout).total

/** He et al. 2015: W ~ N(0, 2 / inputs of the layer); biases 0. */
export function initialise(layout: Layout, stream: RandomStream): Float64Array {
  const { b1, W2, b2, total } = offsets(layout)
  return Float64Array.from({ length: total }, (_, at) => {
    const draw = stream.normal()
    if (at < b1) return draw * Math.sqrt(2 / layout.inputs)
    return at >= W2 && at < b2 ? draw * Math.sqrt(2 / layout.width) : 0
  })
}

/** If `gradient` is given, ∂loss/∂θ is written to it. */
export function evaluate(
  layout: Layout,
  θ: Float64Array,
  { x, labels }: Labelled,
  gradient?: Float64Array,
): Evaluated {
  const { inputs, width, classes } = layout
  const { b1, W2, b2 } = offsets(layout)
  const [h, z, dh] = [new Float64Array(width), new Float64Array(classes), new Float64Array(width)]
  gradient?.fill(0)
  let [loss, wrong] = [0, 0]
  labels.forEach((label, row) => {
    const start = row * inputs
    hidden(layout, θ, x, start, h)
    for (let c = 0; c < classes; c++) z[c] = θ[b2 + c]!
    for (let u = 0; u < width; u++) {
      if (h[u] === 0) continue
      for (let c = 0; c < classes; c++) z[c]! += h[u]! * θ[W2 + u * classes + c]!
    }
    const { logSum, best } = softmaxOf(z)
    loss += logSum - z[label]!
    if (best !== label) wrong++
    if (!gradient) return
    dh.fill(0)
    for (let c = 0; c < classes; c++) {
      const dz = (Math.exp(z[c]! - logSum) - (c === label ? 1 : 0)) / labels.length
      gradient[b2 + c]! += dz
      for (let u = 0; u < width; u++) {
        gradient[W2 + u * classes + c]! += dz * h[u]!
        dh[u]! += dz * θ[W2 + u * classes + c]!
      }
    }
    for (let u = 0; u < width; u++) {
      if (h[u] === 0) continue
      gradient[b1 + u]! += dh[u]!
      for (let i = 0; i < inputs; i++) gradient[i * width + u]! += dh[u]! * x[start + i]!
    }
  })
  return { loss: loss / labels.length, error: wrong / labels.length }
}

function hidden(
  { inputs, width }: Layout,
  θ: Float64Array,
  x: Float64Array,
  start: number,
  h: Float64Array,
): void {
  for (let u = 0; u < width; u++) h[u] = θ[inputs * width + u]!
  for (let i = 0; i < inputs; i++) {
    const value = x[start + i]!
    for (let u = 0; u < width; u++) h[u]! += value * θ[i * width + u]!
  }
  for (let u = 0; u < width; u++) h[u] = Math.max(0, h[u]!)
}

/** log Σ exp z, and the index of the largest z (the first of equal ones). */
function softmaxOf(z: Float64Array) {
  let best = 0
  for (let c = 1; c < z.length; c++) if (z[c]! > z[best]!) best = c
  let sum = 0
  for (const value of z) sum += Math.exp(value - z[best]!)
  return { logSum: z[best]! + Math.log(sum), best }
}
