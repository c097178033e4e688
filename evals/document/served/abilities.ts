/** @file What a server can be asked, in words. */
import type { Capabilities } from '../../contract/subjects/served.ts'

const ABILITIES: readonly (readonly [keyof Capabilities, string])[] = [
  ['chat', 'chat'],
  ['completions', 'plain completions'],
  ['replyLogProbs', 'log-probabilities of replies'],
  ['givenLogProbs', 'log-probabilities of given text'],
  ['seeds', 'seeds'],
  ['tokenIds', 'token ids'],
  ['usage', 'usage'],
  ['systemRole', 'system messages'],
  ['template', 'its template'],
]

const textOf = (found: Capabilities, isThere: boolean): string =>
  ABILITIES.flatMap(([name, text]) => (Boolean(found[name]) === isThere ? [text] : [])).join(', ')

export const abilitiesText = (found: Capabilities): string => textOf(found, true)
export const lacksText = (found: Capabilities): string => textOf(found, false)
