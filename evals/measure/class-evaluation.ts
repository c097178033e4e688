/** @file Evaluation of a classifier: rows of text and label. Replies, texts and judges are refused here. */
import { TouchstoneError, usageError } from '../errors/touchstone-error.ts'
import { cannotWrite, classesOf, isEncoder, type Model } from '../models/registry.ts'
import type { Base } from './base.ts'
import { hasOptions, hasValues, type PreparedBenchmark } from './benchmark-sources.ts'
import type { EvaluationConfig } from './config.ts'
import { textPathOf } from './perplexity.ts'

type Wish = Pick<EvaluationConfig, 'suite' | 'judges' | 'contexts' | 'sequential'>

const isDefault = (suite: readonly string[]) => suite.length === 1 && suite[0] === 'house'

/** From the configuration alone, before any file or judge is opened. */
export function requireReadable(
  { model }: { model: Model },
  { suite, judges, contexts, sequential }: Wish,
): void {
  if (!isEncoder(model)) return
  if (sequential !== null) {
    throw usageError(
      'The model names classes: its texts take little time, are asked at once, and --sequential has no looks at them.',
      'Leave --sequential out.',
    )
  }
  const hasText = suite.some((entry) => textPathOf(entry) !== undefined)
  if (judges.length + contexts.length > 0 || isDefault(suite) || hasText)
    throw cannotWrite(model.architecture)
}

export function requireClasses(
  { model }: { model: Model },
  benchmarks: readonly PreparedBenchmark[],
): void {
  const isReadable = ({ samples }: PreparedBenchmark) => hasOptions(samples) || hasValues(samples)
  if (isEncoder(model) && !benchmarks.every(isReadable)) throw cannotWrite(model.architecture)
}

/** A base without a head cannot be evaluated; its fine-tunes can. */
export const canAnswer = (base: Base): boolean =>
  !isEncoder(base.model) || classesOf(base.model) !== undefined

/** The log message if the base cannot be evaluated; an error if nothing else is. */
export function headlessNote({
  model,
  methods,
  candidates,
}: {
  readonly model: string
  readonly methods: readonly unknown[]
  readonly candidates: readonly string[]
}): string {
  if (methods.length + candidates.length === 0)
    throw new TouchstoneError('model.no-classes', { path: model })
  return `${model} has no classification head of its own: only its fine-tunes are asked.`
}
