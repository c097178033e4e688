/** @file The gradient of the semantic judge's network: of its logits in its table and its dense weights, added to what is there. */
import { GAIN, type Bags, type Net, type Passed } from '../../judges/semantic/net.ts'
import {
  DENSE,
  HEADS,
  HIDDEN,
  INPUT,
  OUTPUTS,
  WIDTH,
  type Shape,
} from '../../judges/semantic/shape.ts'

interface Gradient {
  readonly table: Float32Array
  readonly dense: Float32Array
}

/** d bent / dx */
function slope(x: number): number {
  const s = 1 / (1 + Math.exp(-1.702 * x))
  return s + 1.702 * x * s * (1 - s)
}

interface Through {
  readonly dense: Float32Array
  readonly gradient: Float32Array
  readonly shape: Shape
}

/** Adds what a matrix's gradient is, and returns that of its input, which starts at `from`. */
export function through(
  { dense, gradient, shape }: Through,
  input: Float32Array,
  errors: Float32Array,
  from = 0,
): Float32Array {
  const { at, rows, columns, inputs } = shape
  const back = new Float32Array(inputs)
  for (let r = 0; r < rows; r++) {
    const error = errors[r]!
    if (error === 0) continue
    const row = at + r * columns
    for (let c = 0; c < inputs; c++) {
      gradient[row + c]! += error * input[from + c]!
      back[c]! += error * dense[row + c]!
    }
    if (inputs < columns) gradient[row + inputs]! += error
  }
  return back
}

function intoTable(table: Float32Array, found: Uint32Array, errors: Float32Array): void {
  const factor = GAIN / Math.sqrt(Math.max(1, found.length))
  const scaled = errors.map((error) => factor * error)
  for (const row of found) {
    const at = WIDTH * row
    for (let d = 0; d < WIDTH; d++) table[at + d]! += scaled[d]!
  }
}

/** `logitErrors` of the outcomes, `lastErrors` of the last hidden numbers by what else reads them. */
export function backward(
  { dense }: Net,
  bags: Bags,
  passed: Passed,
  { logitErrors, lastErrors }: Record<'logitErrors' | 'lastErrors', Float32Array>,
  into: Gradient,
): void {
  const of = (shape: Shape): Through => ({ dense, gradient: into.dense, shape })
  const last = through(of(DENSE.last), passed.last, logitErrors)
  for (let j = 0; j < HIDDEN; j++)
    last[j] = (last[j]! + lastErrors[j]!) * passed.lastMask[j]! * slope(passed.beforeLast[j]!)
  const joined = through(of(DENSE.joined), passed.joined, last)
  const errors = hiddenErrors(of(DENSE.attention), bags.segments.length, passed, joined)
  const after = (HEADS + 3) * HIDDEN
  const straight = joined
    .subarray(after, after + OUTPUTS)
    .map((error, c) => error + logitErrors[c]!)
  const sum = through(of(DENSE.straight), passed.sum, straight)
  const asked = promptErrors(of, passed, joined.subarray(after + OUTPUTS), sum)
  if (bags.prompt) intoTable(into.table, bags.prompt, asked)
  segmentErrors(of(DENSE.segment), bags, passed, { errors, sum }, into.table)
}

function segmentErrors(
  of: Through,
  { segments }: Bags,
  { before, masks, inputs }: Passed,
  { errors, sum }: Record<'errors' | 'sum', Float32Array>,
  table: Float32Array,
): void {
  const own = new Float32Array(HIDDEN)
  segments.forEach((found, i) => {
    for (let j = 0, at = i * HIDDEN; j < HIDDEN; j++, at++)
      own[j] = errors[at]! * masks[at]! * slope(before[at]!)
    const vector = through(of, inputs, own, i * INPUT).subarray(0, WIDTH)
    for (let d = 0; d < WIDTH; d++) vector[d]! += sum[d]! / Math.sqrt(segments.length)
    intoTable(table, found, vector)
  })
}

/** Of each segment's hidden numbers: by the attentions, the maximum, the last and the first. */
function hiddenErrors(of: Through, count: number, passed: Passed, joined: Float32Array) {
  const errors = new Float32Array(count * HIDDEN)
  for (let head = 0; head < HEADS; head++) addAttention(of, count, passed, { joined, errors, head })
  for (let j = 0; j < HIDDEN; j++) {
    errors[passed.best[j]! * HIDDEN + j]! += joined[HEADS * HIDDEN + j]!
    errors[(count - 1) * HIDDEN + j]! += joined[(HEADS + 1) * HIDDEN + j]!
    errors[j]! += joined[(HEADS + 2) * HIDDEN + j]!
  }
  return errors
}

interface Head {
  readonly joined: Float32Array
  readonly errors: Float32Array
  readonly head: number
}

/** By one attention: by what a segment weighs and by its score. */
function addAttention(
  { dense, gradient, shape }: Through,
  count: number,
  { hidden, weights }: Passed,
  { joined, errors, head }: Head,
): void {
  const [from, row] = [head * HIDDEN, shape.at + head * HIDDEN]
  const shares = weights[head]!
  const gains = Float64Array.from({ length: count }, (_, i) => {
    let gain = 0
    for (let j = 0; j < HIDDEN; j++) gain += hidden[i * HIDDEN + j]! * joined[from + j]!
    return gain
  })
  const mean = gains.reduce((total, gain, i) => total + shares[i]! * gain, 0)
  for (let i = 0; i < count; i++) {
    const score = shares[i]! * (gains[i]! - mean)
    for (let j = 0, at = i * HIDDEN; j < HIDDEN; j++, at++) {
      errors[at]! += shares[i]! * joined[from + j]! + score * dense[row + j]!
      gradient[row + j]! += score * hidden[at]!
    }
  }
}

/** Of the prompt's vector; adds to those of the segments' sum. */
function promptErrors(
  of: (shape: Shape) => Through,
  { beforePrompt, kept, turned, vector, sum, joined: values }: Passed,
  joined: Float32Array,
  sumErrors: Float32Array,
): Float32Array {
  const [before, beforeSum] = [new Float32Array(HIDDEN), new Float32Array(HIDDEN)]
  const start = (HEADS + 3) * HIDDEN + OUTPUTS
  for (let j = 0; j < HIDDEN; j++) {
    const matched = joined[HIDDEN + j]!
    before[j] = (joined[j]! + matched * turned[j]!) * kept[j]! * slope(beforePrompt[j]!)
    beforeSum[j] = matched * values[start + j]! * (1 - turned[j]! ** 2)
  }
  const asked = through(of(DENSE.prompt), vector, before)
  const told = through(of(DENSE.sum), sum, beforeSum)
  for (let d = 0; d < WIDTH; d++) {
    const product = joined[2 * HIDDEN + d]!
    sumErrors[d]! += told[d]! + product * vector[d]!
    asked[d]! += product * sum[d]!
  }
  return asked
}
