/** @file Differences of an artefact's tokenizer and template from those of the measurement. */
import type { Message } from '../../contract/rows.ts'
import type { OpenModel } from '../../models/checkpoint.ts'
import { rendered } from './measure.ts'
import { TURNS } from './served-template.ts'

type FaultKind =
  | 'special-token'
  | 'tokenizer'
  | 'end-of-reply'
  | 'template'
  | 'not-merged'
  | 'scale'
  | 'merge'
  | 'rounding'
  | 'configuration'
  | 'graph'
  | 'doubled-start'
  | 'missing-start'
  | 'system-prompt'
  | 'weights'

export interface Fault {
  readonly kind: FaultKind
  readonly what: string
}

type Text = Pick<OpenModel, 'tokenizer' | 'template'>

/** Words with letters of all kinds, digits, marks, line ends and spaces. */
const PROBES = ['The pool opens at 7:00.', 'Ça va?\n\n  猫 🙂', "I'll pay 12,345 €\tnow", ' a  b ']
/** Anything that looks like a special token in a rendered conversation. */
const MARKED = /<[^<>\s]{1,40}>|\[[A-Z_/]{2,20}\]/gu

export async function textFaults(
  reference: Text,
  other: Text,
  conversations: readonly (readonly Message[])[],
): Promise<Fault[]> {
  const all = [...conversations, ...TURNS]
  const texts = await Promise.all(all.map((each) => written(reference, each)))
  const own = await Promise.all(all.map((each) => written(other, each)))
  const differ = texts.filter((text, i) => text !== own[i]).length
  const known = texts.filter((text) => text !== null)
  return [
    ...tokenFaults(reference.tokenizer, other.tokenizer, known),
    ...(differ === 0
      ? []
      : [
          {
            kind: 'template' as const,
            what: `the chat template writes ${differ} of ${texts.length} conversations otherwise`,
          },
        ]),
  ]
}

/** Null where the template refuses the conversation. */
const written = (open: Text, messages: readonly Message[]): Promise<string | null> =>
  rendered(open, messages).catch(() => null)

function tokenFaults(
  reference: Text['tokenizer'],
  other: Text['tokenizer'],
  texts: readonly string[],
): Fault[] {
  const same = (text: string) => reference.encode(text).join() === other.encode(text).join()
  const marked = new Set(texts.flatMap((text) => text.match(MARKED) ?? []))
  const lost = [...marked].filter((token) => reference.encode(token).length === 1 && !same(token))
  // A lost token may leave everything around it unchanged.
  const pieces = texts.flatMap((text) => text.split(MARKED))
  const odd = [...PROBES, ...pieces].filter((text) => !same(text)).length
  const [ends, found] = [reference.endIds, other.endIds].map((ids) => [...ids].sort().join(', '))
  const faults: Fault[] = []
  if (lost.length > 0) {
    faults.push({ kind: 'special-token', what: `${lost.join(', ')} is not one token any more` })
  }
  if (odd > 0) faults.push({ kind: 'tokenizer', what: `${odd} texts become other tokens` })
  if (ends !== found) {
    faults.push({
      kind: 'end-of-reply',
      what: `replies end at ${found || 'nothing'}, and were measured to end at ${ends}`,
    })
  }
  return faults
}
