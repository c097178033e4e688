/** @file Conversations as the model will see them in training, and what was cut to make them fit. */
import { TouchstoneError } from '../errors/touchstone-error.ts'
import {
  fitExamples,
  type Conversed,
  type Fitted,
  type Limits,
} from '../finetune/training/dataset.ts'
import type { OpenModel } from '../models/checkpoint.ts'
import { maskedTokens } from '../models/text/masked-tokens.ts'
import type { TrainingData } from '../measure/sources.ts'

/** Tokenised with the model's own template and made to fit; throws where nothing is left to train on. */
export async function fittedExamples(
  open: Pick<OpenModel, 'template' | 'tokenizer'>,
  { title, conversations }: Pick<TrainingData, 'title' | 'conversations'>,
  limits: Limits,
  signal: AbortSignal,
): Promise<Fitted> {
  const examples: Conversed[] = []
  for (const messages of conversations) {
    signal.throwIfAborted()
    examples.push(await maskedTokens(open.template, open.tokenizer, messages))
  }
  const fitted = fitExamples(examples, limits)
  if (fitted.examples.length === 0) throw new TouchstoneError('data.empty', { path: title })
  return fitted
}
