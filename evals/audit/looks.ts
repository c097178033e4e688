/** @file The looks of an audit: the run's gate says on what is stored whether a state may stop, and the base is asked on as needed. */
import type { JobContext, Progress } from '../contract/job.ts'
import { isBase } from '../contract/keys.ts'
import type { SubjectKey } from '../contract/rows.ts'
import { stopsAt } from '../findings/on-the-way/stopping.ts'
import { identityOf, type Base } from '../measure/base.ts'
import { askOn, type EvaluationPlan, type Looking } from '../measure/evaluate.ts'
import { openBaseSubject, type OpenSubject } from '../measure/open-subject.ts'
import type { AuditConfig } from './config.ts'

interface Looked {
  readonly base: Base
  readonly config: Pick<AuditConfig, 'margin'>
  readonly progress: Progress
  /** Without looks yet. */
  readonly plan: EvaluationPlan
  /** Model states that are compared with the base at the end. */
  readonly states: number
}

const BASE: SubjectKey = { arm: 'base', seed: 0, step: 0 }

export function lookingOf(
  { base, config: { margin }, progress, plan, states }: Looked,
  context: JobContext,
): Looking {
  let opened: OpenSubject | undefined
  const planned = states * plan.benchmarks.length
  const askedOf = (benchmark: string) =>
    progress.rows().evaluations.find((row) => isBase(row) && row.benchmark === benchmark)
  return {
    async askBase(prepared, to) {
      const { samples: from = 0, origin: earlier } = askedOf(prepared.benchmark.name) ?? {}
      if (from >= to) return
      const identity = identityOf(base, base.open, { arm: 'base', title: 'Base' })
      opened ??= await openBaseSubject(base, identity)
      await askOn(opened.subject, BASE, { prepared, plan, from, to, earlier }, context)
    },
    async release() {
      await opened?.release()
      opened = undefined
    },
    mayStop: (key, { benchmark: { name: benchmark } }, look) =>
      stopsAt(progress.rows(), { key, benchmark, look, margin, planned }),
  }
}
