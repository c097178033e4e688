/** @file Fits the pooling of a reply's segments: softmax regression on replies whose segments a model judges that has not seen them. */
import { adamW, type OptimizerState } from '../../graph/optimizer.ts'
import { evidence, poolingOf } from '../../judges/semantic/decide.ts'
import { OUTCOMES, type Classifier, type Pooling } from '../../judges/semantic/model.ts'
import type { Composed } from './corpus.ts'

const LEARNING_RATE = 0.1
const ADAM = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.001 }

interface PooledRow {
  readonly found: readonly number[]
  readonly target: number
  readonly weight: number
}

/** What is pooled of a reply, its outcome's number, and its outcome and kind. */
export interface SeenRow {
  readonly found: readonly number[]
  readonly target: number
  readonly kind: string
}

/** What is pooled of each reply; those of courtesies only are left out. */
export const seenRows = (classifier: Classifier, replies: readonly Composed[]): SeenRow[] =>
  replies.flatMap(({ outcome, kind, text, prompt }) => {
    const seen = evidence(classifier, text, prompt)
    const target = OUTCOMES.indexOf(outcome)
    return seen ? [{ found: seen.found, target, kind: `${outcome} ${kind}` }] : []
  })

/** The kinds weigh the same, `weight` in all. */
export function weighed(rows: readonly SeenRow[], weight: number): PooledRow[] {
  const kinds = Map.groupBy(rows, ({ kind }) => kind)
  return rows.map(({ found, target, kind }) => {
    return { found, target, weight: weight / kinds.size / kinds.get(kind)!.length }
  })
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)

/** Mean and standard deviation of each number; the first is 1 in every row and stays. */
function scalesOf(rows: readonly PooledRow[]): { readonly mean: number; readonly sd: number }[] {
  return rows[0]!.found.map((_, j) => {
    if (j === 0) return { mean: 0, sd: 1 }
    const mean = sum(rows.map(({ found }) => found[j]!)) / rows.length
    const sd = Math.sqrt(sum(rows.map(({ found }) => (found[j]! - mean) ** 2)) / rows.length)
    return { mean, sd: sd || 1 }
  })
}

export async function fitPooling(rows: readonly PooledRow[], steps: number): Promise<Pooling> {
  const scales = scalesOf(rows)
  const scaled = rows.map(({ found }) => scales.map(({ mean, sd }, j) => (found[j]! - mean) / sd))
  const all = sum(rows.map(({ weight }) => weight))
  const shares = rows.map(({ weight }) => weight / all)
  const fitted = await fitScaled(rows, scaled, shares, steps)
  // The scales go into the weights.
  return fitted.map((row) => {
    const weights = row.map((weight, j) => weight / scales[j]!.sd)
    return [weights[0]! - sum(weights.map((w, j) => w * scales[j]!.mean)), ...weights.slice(1)]
  })
}

async function fitScaled(
  rows: readonly PooledRow[],
  scaled: readonly (readonly number[])[],
  weights: readonly number[],
  steps: number,
): Promise<Pooling> {
  const width = scaled[0]!.length
  const size = OUTCOMES.length * width
  const state: OptimizerState = {
    parameters: new Float32Array(size),
    ...{ firstMoment: new Float32Array(size), secondMoment: new Float32Array(size), step: 0 },
  }
  const groups = [{ start: 0, end: size, learningRateScale: 1, decays: true }]
  const poolingNow = () =>
    OUTCOMES.map((_, c) => [...state.parameters.subarray(c * width, (c + 1) * width)])
  for (let step = 0; step < steps; step++) {
    const gradient = new Float32Array(size)
    const pooling = poolingNow()
    for (const [i, found] of scaled.entries()) {
      poolingOf(pooling, found).forEach((p, c) => {
        const error = (p - (c === rows[i]!.target ? 1 : 0)) * weights[i]!
        for (let j = 0; j < width; j++) gradient[c * width + j]! += error * found[j]!
      })
    }
    await adamW(state, gradient, ADAM, groups, LEARNING_RATE * (1 - step / steps), 1)
  }
  return poolingNow()
}
