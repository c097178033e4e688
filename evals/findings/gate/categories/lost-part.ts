/**
 * @file A category that is too small for a claim of its own, and is taken together with others, can be lost whole without a word: a
 * class of three rows in two hundred. Its few prompts show no harm, so that it fails nothing; but nothing passes that lost all of it.
 */
import { counted } from '../../../contract/words.ts'
import {
  blankClaim,
  nameOf,
  placeOf,
  selectionOf,
  type ClaimInput,
  type Draft,
} from '../claim-input.ts'
import { worstCase } from '../coverage.ts'
import { RATE_NAMES } from '../outcomes.ts'
import { pairUp } from '../pairs.ts'

/**
 * A claim where the fine-tune does as it should on none of the g prompts on which the base did, though a harm as large as the
 * benchmark's margin would hardly lose one of that many small categories whole: categories · margin^g ≤ α. One prompt is a reply
 * like any other, and the rate allows for it.
 */
export function lostPart(asked: ClaimInput, margin: number, categories: number): Draft | undefined {
  const { role } = asked.benchmark
  const { coverage } = pairUp(asked.before, asked.after, { ...selectionOf(asked), role })
  const { rises } = coverage.measure
  const prompts = worstCase(coverage)
  const isGood = (scores: readonly number[]) => scores.some((score) => score > 0 !== rises)
  const good = (side: 'before' | 'after') => prompts.filter((prompt) => isGood(prompt[side])).length
  if (good('before') < 2 || good('after') > 0) return undefined
  if (categories * margin ** good('before') > asked.alpha) return undefined
  const what = `${RATE_NAMES[role]} on ${placeOf(asked)}`
  const sentence = `${nameOf(asked)}: ${what}: the base did as it should on ${good('before')} of ${counted(prompts.length, 'prompt')} and the fine-tune on none; too few to show a harm, and the category may be lost. Add prompts to it, or put categories: false into a gate file.`
  return { claim: { ...blankClaim(asked), outcome: 'INCONCLUSIVE', sentence }, ifFailed: sentence }
}
