/** @file How many prompts two benchmarks share: averaging sets that overlap counts some prompts twice. */
import { sha256 } from '../../files/digest.ts'
import type { Sample } from '../../contract/rows.ts'

const LENGTH = 16

/**
 * 16 hexadecimal digits of a prompt in NFKC, lower case, single spaces, without what nobody sees and punctuation at its end. No text
 * can be read back.
 */
export function promptHash({ messages }: Pick<Sample, 'messages'>): string {
  const text = messages.map(({ content }) => content).join('\n')
  const seen = text.normalize('NFKC').replaceAll(/\p{Default_Ignorable_Code_Point}/gu, '')
  const plain = seen.toLowerCase().replaceAll(/\s+/g, ' ').trim()
  const bare = plain.replace(/[\p{P}\s]+$/v, '') || plain
  return sha256(bare).slice(0, LENGTH)
}

export const promptHashes = (samples: readonly Sample[]): ReadonlySet<string> =>
  new Set(samples.map(promptHash))

export function overlap(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let shared = 0
  for (const hash of a) if (b.has(hash)) shared++
  return shared
}
