/** @file Conversations as training examples, cut to the longest row. */
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

/**
 * Tokenises with the model's template and fits to `limits`; throws `data.empty` if nothing is left to train on. `onRow` hears how
 * many rows were read.
 */
export async function fittedExamples(
  open: Pick<OpenModel, 'template' | 'tokenizer'>,
  { title, conversations, kinds }: Pick<TrainingData, 'title' | 'conversations' | 'kinds'>,
  limits: Limits,
  signal: AbortSignal,
  onRow?: (done: number) => void,
): Promise<Fitted & { readonly unlocated: number }> {
  const examples: Conversed[] = []
  for (const [at, messages] of conversations.entries()) {
    signal.throwIfAborted()
    onRow?.(at)
    const row = await located(() => maskedTokens(open.template, open.tokenizer, messages), limits)
    const kind = kinds?.get(messages)
    if (row) examples.push(kind === undefined ? row : { ...row, kind })
  }
  const fitted = fitExamples(examples, limits)
  if (fitted.examples.length === 0) throw new TouchstoneError('data.empty', { path: title })
  return { ...fitted, unlocated: conversations.length - examples.length }
}

/** Undefined for a row that is left out. */
export const located = async <T>(
  row: () => Promise<T>,
  { skipUnlocated = false }: Limits,
): Promise<T | undefined> =>
  row().catch((error: unknown) => {
    const isUnlocated = error instanceof TouchstoneError && error.code === 'template.not-a-prefix'
    if (isUnlocated && skipUnlocated) return undefined
    throw error
  })
