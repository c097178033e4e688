/**
 * @file Labelled tokens, or texts with a class → micro-batches. Of conversations the loss sees completions only; padding stands
 * at the end and counts nothing.
 */
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { MOST_BLOCKS } from '../../models/layers.ts'
import { randomStream } from '../../statistics/random.ts'
import type { Batch } from '../method.ts'

/** One conversation as the model sees it. `labelled[t]` says whether token t is predicted, so labelled[0] is false. */
export interface Conversed {
  readonly ids: readonly number[]
  readonly labelled: readonly boolean[]
}

/** One text as an encoder sees it, and the index of its class. */
export interface Classed {
  readonly ids: readonly number[]
  readonly label: number
}

export type Example = Conversed | Classed

/** What is learnt of an example: at which position which label is named. A token is named at the position before it. */
const targetsOf = (example: Example): readonly { at: number; label: number }[] =>
  'label' in example
    ? [{ at: 0, label: example.label }]
    : example.ids.flatMap((label, t) =>
        t > 0 && example.labelled[t] ? [{ at: t - 1, label }] : [],
      )

/** What becomes of a row of more than `maxTokens` tokens. */
export const TRUNCATIONS = ['cut-end', 'cut-start', 'split', 'leave-out', 'refuse'] as const
export type Truncation = (typeof TRUNCATIONS)[number]

export interface Limits {
  readonly maxTokens: number
  readonly truncation: Truncation
}

export interface Fitted {
  readonly examples: readonly Conversed[]
  /** Rows of more than `maxTokens` tokens, and rows left out because no labelled token remained. */
  readonly truncated: number
  readonly dropped: number
}

/** Tokens `start` … `end − 1`. Nothing stands before the first, so it is predicted from nothing and not labelled. */
const part = ({ ids, labelled }: Conversed, start: number, end: number): Conversed => ({
  ids: ids.slice(start, end),
  labelled: labelled.slice(start, end).map((yes, t) => yes && t > 0),
})

/** The pieces of a row that is too long. */
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

/** What is learnt of one row: the row, or pieces of it, those alone in which a token is labelled. */
export const fitExample = (row: Conversed, { maxTokens, truncation }: Limits): Conversed[] =>
  (row.ids.length > maxTokens ? PIECES[truncation](row, maxTokens) : [row]).filter(({ labelled }) =>
    labelled.includes(true),
  )

/** Rows of at most `maxTokens` tokens; a row of which nothing is left to learn is left out and counted. */
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

/** Which examples step `step` sees: a new seeded order each epoch, rows running on from epoch to epoch. Step counts from 0. */
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
 * Each row in a lane of its own, padded to the longest. `totalLabelled` is the number of labels in the whole
 * optimiser step, so that the losses of its micro-batches add up to the mean over them all.
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
 * The same rows in fewer lanes: several behind one another where they fit into the length of the longest. Attention stays
 * within a row and positions begin anew with each, so loss and gradient are those of `makeBatch` but for rounding.
 */
export const makePackedBatch = (
  examples: readonly Example[],
  padId: number,
  totalLabelled = countLabelled(examples),
): Batch => layOut(packed(examples), padId, totalLabelled)

/** First fit, longest rows first. */
function packed(examples: readonly Example[]): Example[][] {
  const capacity = Math.max(...examples.map(({ ids }) => ids.length))
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

/** The segment of padding: no text sees it, in whatever direction it looks. */
const PADDING = -1

function layOut(lanes: readonly Example[][], padId: number, totalLabelled: number): Batch {
  const batch = lanes.length
  const seq = Math.max(MOST_BLOCKS, ...lanes.map(lengthOf))
  const tokens = new Int32Array(batch * seq).fill(padId)
  const positions = new Int32Array(batch * seq)
  const segments = new Int32Array(batch * seq).fill(PADDING)
  const rows: number[] = []
  const labels: number[] = []
  lanes.forEach((lane, b) => {
    let at = b * seq
    lane.forEach((example, segment) => {
      const { length } = example.ids
      tokens.set(example.ids, at)
      segments.fill(segment, at, at + length)
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
    batch,
    seq,
    rows: Int32Array.from(rows),
    labels: Int32Array.from(labels),
    weights,
  }
}

export const countLabelled = (examples: readonly Example[]): number =>
  examples.reduce((sum, example) => sum + targetsOf(example).length, 0)
