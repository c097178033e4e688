/** @file Labelled tokens → micro-batches. The loss sees completions only; padding stands at the end and counts nothing. */
import { randomStream } from '../statistics/random.ts'
import type { Batch } from './method.ts'

/** One conversation as the model sees it. `labelled[t]` says whether token t is predicted, so labelled[0] is false. */
export interface Example {
  readonly ids: readonly number[]
  readonly labelled: readonly boolean[]
}

export interface Fitted {
  readonly examples: readonly Example[]
  /** Rows cut at `maxTokens`, and rows left out because no labelled token remained. */
  readonly truncated: number
  readonly dropped: number
}

/** Cuts rows at `maxTokens` tokens; a row whose reply is cut away entirely is left out and counted. */
export function fitExamples(examples: readonly Example[], maxTokens: number): Fitted {
  const cut = examples.map(({ ids, labelled }) => ({
    ids: ids.slice(0, maxTokens),
    labelled: labelled.slice(0, maxTokens),
  }))
  const kept = cut.filter(({ labelled }) => labelled.includes(true))
  const truncated = examples.filter(({ ids }) => ids.length > maxTokens).length
  return { examples: kept, truncated, dropped: cut.length - kept.length }
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
 * Pads to the longest row. `totalLabelled` is the number of labelled tokens in the whole optimiser step, so that the
 * losses of its micro-batches add up to the mean over them all.
 */
export function makeBatch(
  examples: readonly Example[],
  padId: number,
  totalLabelled = countLabelled(examples),
): Batch {
  const batch = examples.length
  const seq = Math.max(2, ...examples.map(({ ids }) => ids.length))
  const tokens = new Int32Array(batch * seq).fill(padId)
  const rows: number[] = []
  const labels: number[] = []
  examples.forEach(({ ids, labelled }, b) => {
    ids.forEach((id, t) => {
      tokens[b * seq + t] = id
      if (t > 0 && labelled[t]) {
        rows.push(b * seq + t - 1)
        labels.push(id)
      }
    })
  })
  const weights = new Float32Array(rows.length).fill(1 / totalLabelled)
  return {
    tokens,
    batch,
    seq,
    rows: Int32Array.from(rows),
    labels: Int32Array.from(labels),
    weights,
  }
}

export const countLabelled = (examples: readonly Example[]): number =>
  examples.reduce((sum, { labelled }) => sum + labelled.filter((yes, t) => yes && t > 0).length, 0)
