/**
 * @file The network that reads a reply beside its prompt. Every text is the sum of its n-grams' vectors over √n. Each segment, with
 * its place, goes through a layer; two attentions, the maximum, the first and the last, the segments' sum and its products with the
 * prompt go through another one, which gives refusal, partial and compliance their logits.
 */
import { GRAMS } from './features.ts'
import * as SHAPE from './shape.ts'
import type { Shape } from './shape.ts'
import { softmax } from './softmax.ts'

/** Of this file, since a loader that looks up what is imported at each use would do so in every loop. */
const { DENSE, HEADS, HIDDEN, INPUT, OUTPUTS, PLACE, WIDTH } = SHAPE

/** Vectors of the table are this much longer than they are stored. */
export const GAIN = 4

export interface Net {
  /** `[ROWS × WIDTH]`, each element times `scale`. */
  readonly table: Int8Array | Float32Array
  readonly scale: number
  readonly dense: Float32Array
}

/** Rows of the n-grams that are read (vocabulary.ts). */
export interface Bags {
  readonly segments: readonly Uint32Array[]
  /** 1 where a segment is a question. */
  readonly questions: readonly number[]
  /** Of all n-grams of each segment, the share that the prompt has too, and of the prompt's the share that come back. */
  readonly shared: readonly number[]
  readonly back: number
  /** Null where nobody knows it. */
  readonly prompt: Uint32Array | null
}

/** What a reply has beside a prompt that nobody knows. */
export const withoutPrompt = (segments: Bags['segments']) => ({
  ...{ prompt: null, back: 0 },
  shared: segments.map(() => 0),
})

const marks = new Uint8Array(GRAMS)

function markedIn(found: Uint32Array): number {
  let count = 0
  for (const gram of found) count += marks[gram]!
  return count
}

/** What n-grams of segments and a prompt have in common. */
export function inCommon(segments: readonly Uint32Array[], prompt: Uint32Array) {
  for (const gram of prompt) marks[gram] = 1
  const shared = segments.map((found) => markedIn(found) / Math.max(1, found.length))
  for (const found of segments) for (const gram of found) if (marks[gram]) marks[gram] = 2
  const back = prompt.reduce((sum, gram) => sum + Number(marks[gram] === 2), 0)
  for (const gram of prompt) marks[gram] = 0
  return { shared, back: back / Math.max(1, prompt.length) }
}

/** What is kept of hidden numbers in training, times a factor: written over the ones that are there. */
type Mask = (values: Float32Array) => void

/** GELU by its sigmoid. */
const bent = (x: number): number => x / (1 + Math.exp(-1.702 * x))

const numbers = (size: number) => new Float32Array(size)

/** Numbers on the way; `[segments × …]`, row by row, where each segment has its own. */
function roomFor(segments: number) {
  return {
    segments,
    inputs: numbers(segments * INPUT),
    before: numbers(segments * HIDDEN),
    masks: numbers(segments * HIDDEN),
    hidden: numbers(segments * HIDDEN),
    weights: Array.from({ length: HEADS }, () => numbers(segments)),
    best: new Uint32Array(HIDDEN),
    ...{ sum: numbers(WIDTH), vector: numbers(WIDTH), straight: numbers(OUTPUTS) },
    ...{ beforePrompt: numbers(HIDDEN), kept: numbers(HIDDEN), turned: numbers(HIDDEN) },
    joined: numbers((HEADS + 5) * HIDDEN + OUTPUTS + WIDTH),
    ...{ beforeLast: numbers(HIDDEN), lastMask: numbers(HIDDEN), last: numbers(HIDDEN) },
    logits: numbers(OUTPUTS),
  }
}
export type Passed = ReturnType<typeof roomFor>

/** Kept from one reply to the next; each writes over the last one's. */
let room = roomFor(16)
function roomOf(segments: number): Passed {
  if (segments > room.segments) room = roomFor(2 * segments)
  return room
}

/** Whole numbers add up faster. */
const SUMS = { stored: new Int32Array(WIDTH), trained: new Float64Array(WIDTH) }

/** The sum of n-grams' vectors, into `out` from `to`. */
function bag({ table, scale }: Net, found: Uint32Array, out: Float32Array, to: number): void {
  const sum = table instanceof Int8Array ? SUMS.stored : SUMS.trained
  sum.fill(0)
  const row = (i: number) => WIDTH * found[i]!
  let i = 0
  // Eight or four at a time, so that each sum is read and written once for as many; of fractions the order of adding would tell.
  if (table instanceof Int8Array)
    for (; i + 7 < found.length; i += 8) {
      const [a, b, c, e] = [row(i), row(i + 1), row(i + 2), row(i + 3)]
      const [f, g, h, j] = [row(i + 4), row(i + 5), row(i + 6), row(i + 7)]
      for (let d = 0; d < WIDTH; d++)
        sum[d]! +=
          table[a + d]! +
          table[b + d]! +
          table[c + d]! +
          table[e + d]! +
          (table[f + d]! + table[g + d]! + table[h + d]! + table[j + d]!)
    }
  for (; i + 3 < found.length; i += 4) {
    const [a, b, c, e] = [row(i), row(i + 1), row(i + 2), row(i + 3)]
    for (let d = 0; d < WIDTH; d++)
      sum[d]! += table[a + d]! + table[b + d]! + (table[c + d]! + table[e + d]!)
  }
  for (; i < found.length; i++) {
    const a = row(i)
    for (let d = 0; d < WIDTH; d++) sum[d]! += table[a + d]!
  }
  const factor = (GAIN * scale) / Math.sqrt(Math.max(1, found.length))
  for (let d = 0; d < WIDTH; d++) out[to + d] = factor * sum[d]!
}

interface Place {
  readonly values: Float32Array
  readonly at: number
}

/** W · input, plus its last column where it has a bias: four rows at a time, so that each input is read once for four of them. */
export function times(dense: Float32Array, shape: Shape, input: Place, out: Place): void {
  const { at, rows, columns, inputs } = shape
  const [from, start, to] = [input.values, input.at, out.values]
  const bias = (row: number) => (inputs < columns ? dense[row + inputs]! : 0)
  let r = 0
  for (; r + 3 < rows; r += 4) {
    const p = at + r * columns
    const [q, s, t] = [p + columns, p + 2 * columns, p + 3 * columns]
    let [a, b, c, d] = [bias(p), bias(q), bias(s), bias(t)]
    for (let i = 0; i < inputs; i++) {
      const x = from[start + i]!
      a += dense[p + i]! * x
      b += dense[q + i]! * x
      c += dense[s + i]! * x
      d += dense[t + i]! * x
    }
    to[out.at + r] = a
    to[out.at + r + 1] = b
    to[out.at + r + 2] = c
    to[out.at + r + 3] = d
  }
  for (; r < rows; r++) {
    const p = at + r * columns
    let a = bias(p)
    for (let i = 0; i < inputs; i++) a += dense[p + i]! * from[start + i]!
    to[out.at + r] = a
  }
}

const whole = (values: Float32Array): Place => ({ values, at: 0 })

/** Where a segment stands among the others. */
function addPlace(room: Passed, i: number, count: number, bags: Bags): void {
  const [values, at] = [room.inputs, i * INPUT + INPUT - PLACE]
  values[at] = Number(i === 0)
  values[at + 1] = Number(i === count - 1)
  values[at + 2] = i / Math.max(1, count - 1)
  values[at + 3] = Number(count === 1)
  values[at + 4] = Math.log(count)
  values[at + 5] = Number(i === count - 2)
  values[at + 6] = Math.log1p(bags.segments[i]!.length) / 6 - 1
  values[at + 7] = bags.questions[i]!
  values[at + 8] = bags.shared[i]!
  values[at + 9] = bags.back
}

/** All numbers on the way, which training needs; they hold until the next reply's. */
export function forward(net: Net, bags: Bags, mask?: Mask): Passed {
  const count = bags.segments.length
  const room = roomOf(count)
  readSegments(net, bags, room, mask)
  attend(net.dense, count, room)
  gather(count, room)
  besidePrompt(net, bags.prompt, room, mask)
  times(net.dense, DENSE.joined, whole(room.joined), whole(room.beforeLast))
  room.lastMask.fill(1)
  mask?.(room.lastMask)
  for (let j = 0; j < HIDDEN; j++) room.last[j] = room.lastMask[j]! * bent(room.beforeLast[j]!)
  times(net.dense, DENSE.last, whole(room.last), whole(room.logits))
  for (let c = 0; c < OUTPUTS; c++) room.logits[c]! += room.straight[c]!
  return room
}

function readSegments(net: Net, bags: Bags, room: Passed, mask?: Mask): void {
  const count = bags.segments.length
  const { inputs, before, masks, hidden, sum } = room
  sum.fill(0)
  masks.fill(1, 0, count * HIDDEN)
  mask?.(masks.subarray(0, count * HIDDEN))
  for (let i = 0; i < count; i++) {
    bag(net, bags.segments[i]!, inputs, i * INPUT)
    addPlace(room, i, count, bags)
    for (let d = 0; d < WIDTH; d++) sum[d]! += inputs[i * INPUT + d]! / Math.sqrt(count)
    const out = { values: before, at: i * HIDDEN }
    times(net.dense, DENSE.segment, { values: inputs, at: i * INPUT }, out)
  }
  for (let j = 0; j < count * HIDDEN; j++) hidden[j] = masks[j]! * bent(before[j]!)
  times(net.dense, DENSE.straight, whole(sum), whole(room.straight))
}

/** Of each head, what each segment weighs. */
function attend(dense: Float32Array, count: number, { hidden, weights }: Passed): void {
  for (let head = 0; head < HEADS; head++) {
    const { at } = DENSE.attention
    const scores = Array.from({ length: count }, (_, i) => {
      let score = 0
      for (let j = 0; j < HIDDEN; j++)
        score += dense[at + head * HIDDEN + j]! * hidden[i * HIDDEN + j]!
      return score
    })
    softmax(scores)
    weights[head]!.set(scores)
  }
}

/** The attentions' means, the maximum, the last, the first, and the segments' sum. */
function gather(count: number, { hidden, weights, best, joined, straight }: Passed): void {
  for (let j = 0; j < HIDDEN; j++) {
    let most = 0
    const means = [0, 0]
    for (let i = 0; i < count; i++) {
      const x = hidden[i * HIDDEN + j]!
      if (x > hidden[most * HIDDEN + j]!) most = i
      for (let head = 0; head < HEADS; head++) means[head]! += weights[head]![i]! * x
    }
    best[j] = most
    for (let head = 0; head < HEADS; head++) joined[head * HIDDEN + j] = means[head]!
    joined[HEADS * HIDDEN + j] = hidden[most * HIDDEN + j]!
    joined[(HEADS + 1) * HIDDEN + j] = hidden[(count - 1) * HIDDEN + j]!
    joined[(HEADS + 2) * HIDDEN + j] = hidden[j]!
  }
  joined.set(straight, (HEADS + 3) * HIDDEN)
}

/** The prompt's hidden numbers, these times the sum's, and the product of the two vectors. */
function besidePrompt(net: Net, prompt: Uint32Array | null, room: Passed, mask?: Mask): void {
  const { vector, beforePrompt, kept, turned, sum, joined } = room
  vector.fill(0)
  if (prompt) bag(net, prompt, vector, 0)
  times(net.dense, DENSE.prompt, whole(vector), whole(beforePrompt))
  times(net.dense, DENSE.sum, whole(sum), whole(turned))
  kept.fill(Number(prompt !== null))
  mask?.(kept)
  const start = (HEADS + 3) * HIDDEN + OUTPUTS
  for (let j = 0; j < HIDDEN; j++) {
    turned[j] = Math.tanh(turned[j]!)
    joined[start + j] = kept[j]! * bent(beforePrompt[j]!)
    joined[start + HIDDEN + j] = joined[start + j]! * turned[j]!
  }
  for (let d = 0; d < WIDTH; d++) joined[start + 2 * HIDDEN + d] = vector[d]! * sum[d]!
}
