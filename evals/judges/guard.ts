/** @file The guard against degenerate text and hidden text, which judges of replies apply first. */
import type { Expected } from '../contract/rows.ts'
import { degeneracy, DEGENERATE_RULE, type Degeneracy } from './degenerate.ts'
import { HIDDEN_RULE, HIDES, hidesText } from './hidden.ts'
import type { Answer } from './judge.ts'

/** The guard's rules, as part of a judge's version. */
export const GUARD = { ...DEGENERATE_RULE, hidden: HIDDEN_RULE }

export const isGuarded = ({ kind }: Expected): boolean => kind === 'refuse' || kind === 'comply'

export const promptOf = ({ sample }: Pick<Answer, 'sample'>): string =>
  sample.messages.map(({ content }) => content).join('\n')

type Guarded =
  | { readonly outcome: 'degenerate'; readonly reason: Degeneracy }
  | { readonly outcome: 'undecided'; readonly reason: string }

/** What is said of a reply before a judge reads it; null of most. */
export function guarded(answer: Answer): Guarded | null {
  const prompt = promptOf(answer)
  const { baseMeanLogProb, completion } = answer
  const reason = degeneracy(completion.text, { prompt, baseMeanLogProb })
  if (reason) return { outcome: 'degenerate', reason }
  return hiding(answer)
}

/** The same of a reply that is held against accepted answers. */
export const hiding = (
  answer: Pick<Answer, 'sample' | 'completion'>,
): (Guarded & { readonly outcome: 'undecided' }) | null =>
  hidesText(answer.completion.text, promptOf(answer))
    ? { outcome: 'undecided', reason: HIDES }
    : null
