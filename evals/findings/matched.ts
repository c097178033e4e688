/**
 * @file Arms of one seed at the same training loss, from stored rows. L* is the highest of the arms' last smoothed losses;
 * each arm is taken at the first step at which its smoothed loss is at most L*. Every step counts, so the remaining
 * difference in loss is at most what one step changes.
 */
import type { AuditRows } from '../contract/audit-rows.ts'
import type { MatchedSeed } from '../contract/results.ts'
import type { MetricRow } from '../contract/rows.ts'
import { smoothed } from '../statistics/smoothed.ts'
import type { Judged } from './judged.ts'
import { compare } from './paired.ts'

const TRAIN_LOSS = 'train/loss'

type Matched = Pick<MatchedSeed, 'seed' | 'target' | 'arms'>

/** Seeds with at least two trained arms, arms in the order of `order`. */
export function matchedSteps(
  metrics: readonly MetricRow[],
  order: readonly string[],
): readonly Matched[] {
  const losses = metrics.filter(({ name, arm }) => name === TRAIN_LOSS && order.includes(arm))
  return [...Map.groupBy(losses, ({ seed }) => seed)]
    .sort(([a], [b]) => a - b)
    .flatMap(([seed, rows]) => {
      const curves = [...Map.groupBy(rows, ({ arm }) => arm)]
        .sort(([a], [b]) => order.indexOf(a) - order.indexOf(b))
        .map(([arm, own]) => ({ arm, losses: curveOf(own) }))
      if (curves.length < 2) return []
      const target = Math.max(...curves.map((curve) => curve.losses.at(-1)!))
      const arms = curves.map((curve) => ({
        arm: curve.arm,
        step: curve.losses.findIndex((loss) => loss <= target) + 1,
        steps: curve.losses.length,
        loss: curve.losses.find((loss) => loss <= target)!,
        lastLoss: curve.losses.at(-1)!,
      }))
      return [{ seed, target, arms }]
    })
}

/** By step from 1; a run stores every step once. */
const curveOf = (rows: readonly MetricRow[]): Float64Array =>
  smoothed(rows.toSorted((a, b) => a.step - b.step).map(({ value }) => value))

/** Each arm paired with the first one on the same prompts; seeds without measurements at those steps are left out. */
export function matchedOf(
  { metrics, subjects }: Pick<AuditRows, 'metrics' | 'subjects'>,
  judged: readonly Judged[],
): MatchedSeed[] {
  const order = [...new Set(subjects.map(({ arm }) => arm))]
  return matchedSteps(metrics, order).flatMap((matched) => {
    const statesOf = ({ arm, step }: Matched['arms'][number]) =>
      judged.filter(
        ({ subject }) =>
          subject.arm === arm && subject.seed === matched.seed && subject.step === step,
      )
    const [first, ...others] = matched.arms
    const references = statesOf(first!)
    const pairs = others.flatMap((other) =>
      statesOf(other).flatMap((state) => {
        const reference = references.find(
          ({ benchmark, judge }) =>
            benchmark.name === state.benchmark.name && judge === state.judge,
        )
        if (!reference) return []
        const { arm, step } = reference.subject
        return [{ ...compare(reference, state), reference: arm, referenceStep: step }]
      }),
    )
    return pairs.length === 0 ? [] : [{ ...matched, pairs }]
  })
}
