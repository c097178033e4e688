/** @file Models that name classes, measured: a base and its fine-tunes on rows of text and label, through the same report. */
import { TouchstoneError } from '../errors.ts'
import { CLASSES_BENCHMARK } from '../benchmarks/classes.ts'
import { classSubject } from '../inference/class-subject.ts'
import { openEncoderSession } from '../inference/encoder-session.ts'
import type { JobContext } from '../jobs/job.ts'
import type { Progress } from '../jobs/job-kind.ts'
import { cannotWrite, classesOf, type Model } from '../models/registry.ts'
import { identityOf, LONGEST, type Base } from './base.ts'
import { prepareBenchmarks, sourceNotes } from './benchmark-sources.ts'
import { candidateNames, openCandidate } from './candidate.ts'
import { asReader, classIndex } from './classes.ts'
import type { AuditConfig } from './config.ts'
import { benchmarkRow, evaluate, type EvaluationPlan } from './evaluate.ts'

/** Only what can be answered by naming a class is asked: a wish for replies, texts or judges ends here. */
export async function evaluateReader(
  base: Base,
  config: AuditConfig,
  context: JobContext,
  progress: Progress,
): Promise<void> {
  const { emit } = context
  const plan = await planOf(base, config, progress)
  for (const message of sourceNotes(plan.benchmarks)) emit({ type: 'log', level: 'info', message })
  for (const each of plan.benchmarks) emit({ type: 'benchmark', row: benchmarkRow(each) })
  const own = { arm: 'base', title: `Base: ${config.model}` }
  const identity = identityOf(base, base.open, own)
  emit({ type: 'subject', row: identity })
  const key = { arm: 'base', seed: 0, step: 0 }
  if (classesOf(base.model)) {
    await measure(base, { model: base.model, weights: base.weights, identity, key }, plan, context)
  } else if (config.candidates.length === 0) {
    throw new TouchstoneError('model.no-classes', { path: config.model })
  } else {
    const message = `${config.model} has no classification head of its own: only its fine-tunes are asked.`
    emit({ type: 'log', level: 'info', message })
  }
  const names = candidateNames(config.candidates)
  for (const [i, path] of config.candidates.entries()) {
    const reader = await asReader(base, path)
    const candidate = await openCandidate(reader, path, names[i]!)
    emit({ type: 'subject', row: candidate.identity })
    candidate.warnings.forEach((message) => emit({ type: 'log', level: 'warn', message }))
    const { model } = reader
    if (!classesOf(model)) throw new TouchstoneError('model.no-classes', { path })
    const read = (name: string) => [name, candidate.weights.read(name)] as const
    const weights = new Map([...model.weights.keys()].map(read))
    await measure(base, { ...candidate, model, weights }, plan, context)
  }
}

async function planOf(
  base: Base,
  config: AuditConfig,
  progress: Progress,
): Promise<EvaluationPlan> {
  const { suite, methods, mitigate, judges } = config
  if (methods.length + mitigate.length + judges.length > 0 || isDefault(suite))
    throw cannotWrite(base.model.architecture)
  const benchmarks = await prepareBenchmarks(config)
  if (benchmarks.some(({ benchmark }) => benchmark.name !== CLASSES_BENCHMARK))
    throw cannotWrite(base.model.architecture)
  return { benchmarks, neutral: [], finished: progress.evaluations }
}

const isDefault = (suite: readonly string[]) => suite.length === 1 && suite[0] === 'house'

interface Reader {
  readonly model: Model
  readonly weights: ReadonlyMap<string, Float32Array>
  readonly identity: ReturnType<typeof identityOf>
  readonly key: { readonly arm: string; readonly seed: number; readonly step: number }
}

async function measure(
  { open, device, batchSize }: Base,
  { model, weights, identity, key }: Reader,
  plan: EvaluationPlan,
  context: JobContext,
): Promise<void> {
  const { tokenizer } = open
  const limits = { maxPositions: LONGEST, padId: tokenizer.padId, batchSize }
  const session = openEncoderSession({ model, frozen: weights }, device, limits)
  try {
    const subject = classSubject({ identity, model, tokenizer, session, indexOf: classIndex })
    await evaluate(subject, key, plan, context)
  } finally {
    await session.release()
  }
}
