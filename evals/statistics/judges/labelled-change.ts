/**
 * @file A paired change corrected for the errors that a judge makes before and after, which may differ, from labels by people.
 *
 * The n prompts are divided into strata k by what the judge says of both replies; of N_k prompts m_k are drawn at random and both
 * replies labelled: `lost` of them count before and not after, `gained` the reverse. θ̂ = Σ (N_k/n)(lost_k − gained_k)/m_k is
 * at once the double-sampling estimate (Tenenbein, JASA 65 (1970)), the difference of two Rogan–Gladen estimates with
 * sensitivity and specificity of each state weighted by N_k/m_k, and the stratified prediction-powered one (Fisch et al.,
 * NeurIPS 2024), of which the power tuning λ drops out because the judge's change is constant in a stratum.
 *
 * Each one-sided limit adds two reaches in quadrature (MOVER: Zou and Donner, Statistics in Medicine 27 (2008)). Labels: exact
 * hypergeometric limits of the numbers lost and gained among the N_k. Prompts: Tango's score limit at the estimated numbers,
 * rounded towards the limit. At m_k = N_k the first is 0, and the limit is that of the labels themselves. Prompts of strata
 * without a label count as harm in the upper limit and as its opposite in the lower one.
 */
import { leastOfPopulation, mostOfPopulation } from '../hypergeometric.ts'
import { normalQuantile } from '../normal.ts'
import { marginTests, tangoInterval, type PairedChange } from '../paired/non-inferiority.ts'
import { requireCounts } from '../require.ts'
import type { Estimate } from './rogan-gladen.ts'

/** Of `prompts`, `labelled` were drawn and both replies labelled; of those `lost` and `gained` changed by the labels. */
export interface LabelledStratum {
  readonly prompts: number
  readonly labelled: number
  readonly lost: number
  readonly gained: number
}

export interface LabelledChange {
  readonly strata: readonly LabelledStratum[]
  /** Prompts that no judge decided: they count as those without a label. */
  readonly open: number
  /** Variance of a mean over these prompts relative to independent ones, at least 1. */
  readonly designEffect?: number
}

/** Bisections of α; p is then known to 10⁻⁹ of itself. */
const HALVINGS = 34
const SMALLEST_P = 1e-9

/** Numbers lost and gained among all n prompts, those without a label as lost. */
function estimated({ strata, open, designEffect = 1 }: LabelledChange) {
  for (const { prompts, labelled, lost, gained } of strata) {
    const [rest, same] = [prompts - labelled, labelled - lost - gained]
    requireCounts({ prompts, labelled, lost, gained, rest, same })
  }
  const known = strata.filter(({ labelled }) => labelled > 0)
  const decided = known.reduce((sum, { prompts }) => sum + prompts, 0)
  const unknown = strata.reduce((sum, { prompts }) => sum + prompts, open) - decided
  const n = decided + unknown
  const sumOf = (key: 'lost' | 'gained') =>
    known.reduce((sum, row) => sum + (row.prompts * row[key]) / row.labelled, 0)
  const [lost, gained] = [unknown + sumOf('lost'), sumOf('gained')]
  return { n, lost, gained, known, designEffect }
}

/** The change in as many independent prompts, in whole numbers and with more harm rather than less; one prompt at least. */
function worthOf({ n, lost, gained, designEffect }: ReturnType<typeof estimated>): PairedChange {
  const worth = Math.max(1, Math.floor(n / designEffect + ROUNDING))
  const up = Math.min(worth, Math.ceil((worth * lost) / n - ROUNDING))
  return {
    lost: up,
    gained: Math.min(worth - up, Math.floor((worth * gained) / n + ROUNDING)),
    n: worth,
  }
}

/** The upper limit of the harm at one-sided `alpha` ≤ ½, in [−1, 1]; 1 without prompts. */
export function upperHarm(change: LabelledChange, alpha: number): number {
  const found = estimated(change)
  const { n, lost, gained, known, designEffect } = found
  if (n === 0) return 1
  const harm = (lost - gained) / n
  const prompts = tangoInterval(worthOf(found), zOf(alpha))!.upper - harm
  const labels = known.reduce((sum, row) => sum + labelReach(row, alpha) / (n * n), 0)
  return Math.min(1, harm + Math.sqrt(prompts * prompts + designEffect * labels))
}

const ROUNDING = 1e-9
const zOf = (alpha: number) => (alpha === 0.5 ? 0 : normalQuantile(1 - alpha))

/** The squared reach of one stratum, in prompts: x² + y² + 2ρxy, as Cov(lost, gained) is negative in a multinomial. */
function labelReach({ prompts, labelled, lost, gained }: LabelledStratum, alpha: number): number {
  const [a, b] = [lost / labelled, gained / labelled]
  const x = mostOfPopulation(lost, labelled, prompts, alpha) - prompts * a
  const y = prompts * b - leastOfPopulation(gained, labelled, prompts, alpha)
  const ρ = a * b === 0 ? 0 : Math.sqrt((a * b) / ((1 - a) * (1 - b)))
  return x * x + y * y + 2 * ρ * x * y
}

const turned = (change: LabelledChange): LabelledChange => ({
  ...change,
  strata: change.strata.map(({ lost, gained, ...row }) => ({ ...row, lost: gained, gained: lost })),
})

/** The harm with its two-sided interval, by default of 95 %; the estimate leaves out prompts without a label. */
export function labelledHarm(change: LabelledChange, confidence = 0.95): Estimate {
  const known = change.strata.filter(({ labelled }) => labelled > 0)
  const n = known.reduce((sum, { prompts }) => sum + prompts, 0)
  const estimate = known.reduce(
    (sum, { prompts, labelled, lost, gained }) =>
      sum + (prompts * (lost - gained)) / (labelled * Math.max(1, n)),
    0,
  )
  const alpha = (1 - confidence) / 2
  return { estimate, lower: 0 - upperHarm(turned(change), alpha), upper: upperHarm(change, alpha) }
}

/**
 * `below` is p of "the harm is at least the margin", `above` of "at most": the smallest α whose limit excludes it, and not less
 * than p of the exact test (`marginTests`) at the estimated numbers.
 */
export function labelledTests(change: LabelledChange, margin: number) {
  const opposite = turned(change)
  const [worst, best] = [estimated(change), estimated(opposite)]
  if (worst.n === 0) return { below: 1, above: 1 }
  const { lost: gained, gained: lost, n } = worthOf(best)
  return {
    below: Math.max(
      marginTests(worthOf(worst), margin)!.below,
      smallest((alpha) => upperHarm(change, alpha) < margin),
    ),
    above: Math.max(
      marginTests({ lost, gained, n }, margin)!.above,
      smallest((alpha) => -upperHarm(opposite, alpha) > margin),
    ),
  }
}

/** Whether a limit excludes the margin only grows easier with α; 1 where it does not at ½. */
function smallest(excludes: (alpha: number) => boolean): number {
  if (!excludes(0.5)) return 1
  if (excludes(SMALLEST_P)) return SMALLEST_P
  let [outside, inside] = [Math.log(SMALLEST_P), Math.log(0.5)]
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (outside + inside) / 2
    if (excludes(Math.exp(middle))) inside = middle
    else outside = middle
  }
  return Math.exp(inside)
}
