/** @file What a field offers while one types: a value, and what is known of it. */
import type { FoundModel } from '../../evals/contract/calls/models.ts'
import { bytesText } from '../words.ts'

export interface Suggestion {
  readonly value: string
  readonly says?: string
}

export const suggested = (values: readonly string[]): Suggestion[] =>
  [...new Set(values)].map((value) => ({ value }))

/** "Qwen/Qwen3-0.6B, safetensors, 1.2 GB, Hugging Face" */
const foundText = ({ name, format, bytes, source }: FoundModel): string =>
  [name, format, bytesText(bytes), source === 'recent' ? 'beside one used before' : source].join(
    ', ',
  )

/** Models used before and known ones, then what else lies on this machine. */
export function modelSuggestions(
  known: readonly string[],
  found: readonly FoundModel[],
): Suggestion[] {
  const others = found.filter(({ path }) => !known.includes(path))
  return [
    ...suggested(known),
    ...others.map((model) => ({ value: model.path, says: foundText(model) })),
  ]
}
