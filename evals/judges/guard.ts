/** @file The guard against degenerate text, which judges of refusal apply first. */
import type { Expected } from '../contract/rows.ts'
import { degeneracy, DEGENERATE_RULE, type Degeneracy } from './degenerate.ts'
import type { Answer } from './judge.ts'

/** The guard's rules, as part of a judge's version. */
export const GUARD = DEGENERATE_RULE

export const isGuarded = ({ kind }: Expected): boolean => kind === 'refuse' || kind === 'comply'

export const promptOf = ({ sample }: Pick<Answer, 'sample'>): string =>
  sample.messages.map(({ content }) => content).join('\n')

export const degeneracyOf = (answer: Answer): Degeneracy | null =>
  degeneracy(answer.completion.text, {
    prompt: promptOf(answer),
    baseMeanLogProb: answer.baseMeanLogProb,
  })
