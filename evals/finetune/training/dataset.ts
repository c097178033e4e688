/**
 * @file Micro-batches from labelled tokens, or from texts with a class. Only completions of conversations are labelled; padding
 * is at the end and has no weight.
 */
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { MOST_BLOCKS } from '../../models/layers.ts'
import { randomStream } from '../../statistics/random.ts'
import type { Batch } from '../method.ts'

/** A tokenised conversation. `labelled[t]`: whether token t is predicted; labelled[0] is false. */
export interface Conversed {
  readonly ids: readonly number[]
  readonly labelled: readonly boolean[]
  /** What its row says of its kind, for methods that treat kinds otherwise. */
  readonly kind?: 0 | 1
}

/** A tokenised text and the index of its class. */
export interface Classed {
  readonly ids: readonly number[]
  readonly label: number
}

/** Tokenised input of a network that learns numbers, and those numbers. */
export interface Aimed {
  readonly ids: readonly number[]
  readonly target: readonly number[]
}

/** Tokens of which some were exchanged, and what they were (masked language modelling). */
export interface Masked {
  readonly ids: readonly number[]
  readonly hidden: readonly { readonly at: number; readonly label: number }[]
}

export type Example = Conversed | Classed | Aimed | Masked

/** Labels of an example and the positions that predict them: a token is predicted at the position before it. */
function targetsOf(example: Example): Masked['hidden'] {
  if ('hidden' in example) return example.hidden
  if (!('labelled' in example)) return [{ at: 0, label: 'label' in example ? example.label : 0 }]
  return example.ids.flatMap((label, t) =>
    t > 0 && example.labelled[t] ? [{ at: t - 1, label }] : [],
  )
}

/** Treatment of rows longer than `maxTokens`. */
export const TRUNCATIONS = ['cut-end', 'cut-start', 'split', 'leave-out', 'refuse'] as const
export type Truncation = (typeof TRUNCATIONS)[number]

export interface Limits {
  readonly maxTokens: number
  readonly truncation: Truncation
  /** Leave rows out whose replies the template hides; otherwise they are an error. */
  readonly skipUnlocated?: boolean
}

export interface Fitted {
  readonly examples: readonly Conversed[]
  /** Count of rows longer than `maxTokens`, and of rows left out because no labelled token remained. */
  readonly truncated: number
  readonly dropped: number
}

/** Tokens `start` … `end − 1`; the first has no predecessor and is not labelled. */
const part = ({ ids, labelled, ...row }: Conversed, start: number, end: number): Conversed => ({
  ...row,
  ids: ids.slice(start, end),
  labelled: labelled.slice(start, end).map((yes, t) => yes && t > 0),
})

/** The pieces of a row that is too long, by truncation. */
const PIECES: Readonly<Record<Truncation, (row: Conversed, maxTokens: number) => Conversed[]>> = {
  'cut-end': (row, max) => [part(row, 0, max)],
  'cut-start': (row, max) => [part(row, row.ids.length - max, row.ids.length)],
  split: (row, max) =>
    Array.from({ length: Math.ceil(row.ids.length / max) }, (_, i) =>
      part(row, i * max, (i + 1) * max),
    ),
  'leave-out': () => [],
  refuse: () => [],
}

/** The row, or its pieces, that contain a labelled token. */
export const fitExample = (row: Conversed, { maxTokens, truncation }: Limits): Conversed[] =>
  (row.ids.length > maxTokens ? PIECES[truncation](row, maxTokens) : [row]).filter(({ labelled }) =>
    labelled.includes(true),
  )

/** Rows of at most `maxTokens` tokens; rows without a labelled token are left out and counted. */
export function fitExamples(examples: readonly Conversed[], limits: Limits): Fitted {
  const { maxTokens: limit, truncation } = limits
  const long = examples.findIndex(({ ids }) => ids.length > limit)
  if (truncation === 'refuse' && long !== -1) {
    const tokens = examples[long]!.ids.length
    throw new TouchstoneError('data.row-too-long', { row: long + 1, tokens, limit })
  }
  const fitted = examples.map((row) => fitExample(row, limits))
  return {
    examples: fitted.flat(),
    truncated: examples.filter(({ ids }) => ids.length > limit).length,
    dropped: fitted.filter((pieces) => pieces.length === 0).length,
  }
}

/** Indices of the examples of a step (from 0): a new seeded order in each epoch, consecutive over epochs. */
export function rowsOfStep(
  count: number,
  rowsPerStep: number,
  step: number,
  seed: number,
): number[] {
  const first = step * rowsPerStep
  const orders = new Map<number, readonly number[]>()
  return Array.from({ length: rowsPerStep }, (_, i) => {
    const epoch = Math.floor((first + i) / count)
    if (!orders.has(epoch)) orders.set(epoch, epochOrder(count, seed, epoch))
    return orders.get(epoch)![(first + i) % count]!
  })
}

const lastOrder = { key: '', order: [] as readonly number[] }

function epochOrder(count: number, seed: number, epoch: number): readonly number[] {
  const key = `${count}:${seed}:${epoch}`
  if (lastOrder.key !== key) {
    lastOrder.order = randomStream(seed, `order:${epoch}`).shuffle(
      Array.from({ length: count }, (_, i) => i),
    )
    lastOrder.key = key
  }
  return lastOrder.order
}

/**
 * One row per lane, padded to the longest. `totalLabelled` is the number of labels of the optimiser step, so that the losses of
 * its micro-batches add up to the mean over all labels.
 */
export const makeBatch = (
  examples: readonly Example[],
  padId: number,
  totalLabelled = countLabelled(examples),
): Batch =>
  layOut(
    examples.map((example) => [example]),
    padId,
    totalLabelled,
  )

/**
 * Several rows per lane, up to the length of the longest row. Attention is limited to a row and positions restart with each, so
 * loss and gradient equal those of `makeBatch` up to rounding.
 */
export const makePackedBatch = (
  examples: readonly Example[],
  padId: number,
  totalLabelled = countLabelled(examples),
): Batch => layOut(packed(examples), padId, totalLabelled)

/** Tokens of the longest of any number of rows; 0 of none. A spread as arguments would overflow the stack. */
export const longestRow = (rows: readonly Pick<Example, 'ids'>[]): number =>
  rows.reduce((most, { ids }) => Math.max(most, ids.length), 0)

/** First-fit packing, longest rows first. */
function packed(examples: readonly Example[]): Example[][] {
  const capacity = longestRow(examples)
  const lanes: { readonly rows: Example[]; used: number }[] = []
  for (const row of examples.toSorted((a, b) => b.ids.length - a.ids.length)) {
    const { length } = row.ids
    const lane = lanes.find(({ used }) => used + length <= capacity)
    if (!lane) {
      lanes.push({ rows: [row], used: length })
      continue
    }
    lane.rows.push(row)
    lane.used += length
  }
  return lanes.map(({ rows }) => rows)
}

const lengthOf = (lane: readonly Example[]) => lane.reduce((sum, { ids }) => sum + ids.length, 0)

/** Segment number of padding, to which no text attends. */
const PADDING = -1

function layOut(lanes: readonly Example[][], padId: number, totalLabelled: number): Batch {
  const batch = lanes.length
  const seq = Math.max(MOST_BLOCKS, ...lanes.map(lengthOf))
  const tokens = new Int32Array(batch * seq).fill(padId)
  const positions = new Int32Array(batch * seq)
  const segments = new Int32Array(batch * seq).fill(PADDING)
  const kinds = new Int32Array(batch * seq).fill(-1)
  const rows: number[] = []
  const labels: number[] = []
  lanes.forEach((lane, b) => {
    let at = b * seq
    lane.forEach((example, segment) => {
      const { length } = example.ids
      tokens.set(example.ids, at)
      segments.fill(segment, at, at + length)
      if ('kind' in example) kinds.fill(example.kind!, at, at + length)
      for (let t = 0; t < length; t++) positions[at + t] = t
      for (const target of targetsOf(example)) {
        rows.push(at + target.at)
        labels.push(target.label)
      }
      at += length
    })
    for (let i = at; i < (b + 1) * seq; i++) positions[i] = positions[i - 1]! + 1
  })
  const weights = new Float32Array(rows.length).fill(1 / totalLabelled)
  return {
    tokens,
    positions,
    segments,
    kinds,
    batch,
    seq,
    rows: Int32Array.from(rows),
    labels: Int32Array.from(labels),
    places: placesOf(rows),
    weights,
    ...targetNumbers(lanes.flat()),
  }
}

/** How many rows in a row stand right before each. */
function placesOf(rows: readonly number[]): Int32Array {
  const places = new Int32Array(rows.length)
  for (let i = 1; i < rows.length; i++)
    if (rows[i - 1] === rows[i]! - 1) places[i] = places[i - 1]! + 1
  return places
}

function targetNumbers(examples: readonly Example[]): Pick<Batch, 'targets'> {
  const aimed = examples.filter((example) => 'target' in example)
  if (aimed.length === 0) return {}
  const targets = new Float32Array(aimed.reduce((sum, { target }) => sum + target.length, 0))
  let at = 0
  for (const { target } of aimed) {
    targets.set(target, at)
    at += target.length
  }
  return { targets }
}

export const countLabelled = (examples: readonly Example[]): number =>
  examples.reduce((sum, example) => sum + targetsOf(example).length, 0)
