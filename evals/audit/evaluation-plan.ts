/** @file The evaluation plan of an audit: benchmarks, texts and judges. */
import { emitLog, type JobContext, type Progress } from '../contract/job.ts'
import { usageError } from '../errors/touchstone-error.ts'
import { askedByBisection } from '../contract/gate/steps.ts'
import { isSafe } from '../findings/on-the-way/safe-state.ts'
import { requireMeasured, storedGate } from '../findings/gate/gate-file.ts'
import type { Base } from '../measure/base.ts'
import { openBaseScores } from '../measure/base-scores.ts'
import { requireClasses } from '../measure/class-evaluation.ts'
import { isEncoder } from '../models/registry.ts'
import type { AuditConfig } from './config.ts'
import { lookingOf } from './looks.ts'
import type { AuditWork } from './subjects/kind.ts'
import type { EvaluationPlan } from '../measure/evaluate.ts'
import { type OpenJudges, withJudges } from '../measure/open-judges.ts'
import { sourceNotes } from '../measure/benchmark-sources.ts'
import type { KeptBase } from '../measure/known/kept-base.ts'
import { prepareInContexts } from '../measure/contexts.ts'
import { stoppingRule, withLooks } from '../measure/looks/looks.ts'
import { prepareTexts, textArtifact, textNotes } from '../measure/perplexity.ts'
import { neutralTexts } from '../measure/sources.ts'
import { unreadLanguages } from '../judges/unread-languages.ts'

interface Asked {
  readonly judges: OpenJudges
  readonly progress: Progress
  /** Absent where the base is asked everything, or not at all. */
  readonly kept?: KeptBase | undefined
  /** In place of the suite. */
  readonly own?: AuditWork['own']
}

export async function evaluationPlan(
  base: Base,
  config: AuditConfig,
  { judges: { judges, notes }, progress, own, kept }: Asked,
  context: JobContext,
): Promise<EvaluationPlan> {
  const { emit } = context
  const prepared = withJudges(own?.benchmarks ?? (await prepareInContexts(config, base)), judges)
  const states = comparedStates(config)
  const rule = states > 0 ? stoppingRule(config) : undefined
  const benchmarks = prepared
    .filter(({ context: put }) => !put?.unasked)
    .map((each) => withLooks(each, rule))
  const unasked = prepared.filter(({ context }) => context?.unasked)
  requireClasses(base, benchmarks)
  const texts = await prepareTexts(config)
  requireMeasured(
    storedGate(config),
    benchmarks.flatMap(({ benchmark, context }) => (context ? [] : benchmark)),
  )
  for (const { benchmark, context } of unasked) {
    const message = `${benchmark.title}: not measurable on this model (${context!.unasked}).`
    emitLog({ emit }, 'warn', message)
  }
  for (const message of unreadLanguages(benchmarks, judges)) emitLog({ emit }, 'warn', message)
  for (const message of [...sourceNotes(benchmarks), ...textNotes(texts), ...notes])
    emitLog({ emit }, 'info', message)
  for (const text of texts) emit({ type: 'artifact', row: textArtifact(text) })
  const { measures = [] } = own ?? {}
  const asked = { benchmarks, unasked, neutral: [], texts, measures, judges, ...(kept && { kept }) }
  const stored = { finished: progress.evaluations, base: progress, ...bisecting(config, progress) }
  const plan = { ...asked, ...stored }
  const whole = isEncoder(base.model) ? plan : await withNeutral(base, config, plan, emit)
  if (!rule) return whole
  return { ...whole, looking: lookingOf({ base, config, progress, plan: whole, states }, context) }
}

/** Whether a state passes the gate, where a run looks for the last that does by bisection. */
function bisecting(config: AuditConfig, progress: Progress): Pick<EvaluationPlan, 'isSafe'> {
  const states = askedByBisection(config)
  if (states === undefined || config.methods.length === 0) return {}
  if (config.sequential !== null || config.on !== 'local') {
    const flag = config.on === 'local' ? '--sequential' : '--on'
    throw usageError(
      `--bisect asks whole checkpoints in turn on this machine, which ${flag} does not.`,
      `Leave --bisect or ${flag} out.`,
    )
  }
  const { margin } = config
  return { isSafe: (key) => isSafe(progress.rows(), key, { margin, states }) }
}

/** States that the gate compares with the base. */
const comparedStates = ({ methods, seeds, candidates }: AuditConfig): number =>
  methods.length * seeds.length + candidates.length

/** For causal models: neutral text to score, and the base's scores of the fine-tunes' replies. */
async function withNeutral(
  base: Base,
  config: AuditConfig,
  given: EvaluationPlan,
  emit: JobContext['emit'],
): Promise<EvaluationPlan> {
  const plan = { ...given, neutral: await neutralTexts(given.benchmarks, config.limit) }
  if (comparedStates(config) > 0) {
    return { ...plan, baseScores: await openBaseScores(base) }
  }
  emitLog({ emit }, 'info', NO_BASE)
  return plan
}

const NO_BASE =
  'No fine-tune is measured here, so there is no base that could find a reply improbable: that rule of the guard against degenerate text is not applied.'

export function emitBaseScoreCost(
  evaluation: EvaluationPlan | undefined,
  { emit }: JobContext,
): void {
  const { replies, seconds } = evaluation?.baseScores?.spent() ?? { replies: 0, seconds: 0 }
  if (replies === 0) return
  const cost = `${replies} replies of fine-tunes were scored under the base in ${seconds.toFixed(1)} s, for the guard against degenerate text.`
  emitLog({ emit }, 'info', cost)
}
