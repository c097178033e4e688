/** @file What the semantic judge's networks are fitted to: whole replies beside their prompts, and how often each is drawn. */
import { countedParts } from '../../judges/semantic/decide.ts'
import {
  bagsOf,
  isKnown,
  OUTCOMES,
  partOf,
  type SemanticModel,
} from '../../judges/semantic/model.ts'
import type { RandomStream } from '../../statistics/random.ts'
import { READ_SPLITS, sentence, type Composed, type Language } from './corpus.ts'
import type { NetExample } from './fit-net.ts'

/** Of replies with a prompt, the share that comes again after a courtesy; of answers, with a refusal behind and before. */
const [GREETED, CLOSED, OPENED] = [0.15, 0.25, 0.15]
/** Kinds of brief refusals that fit many answers, their longest, and how often one of frames is taken instead. */
const BRIEF = new Set(['hard', 'polite', 'policy', 'apology', 'short'])
const [LONGEST, OF_FRAMES] = [139, 0.3]

/** What the prompt asks for is a part of it beside a refusal too; a courtesy before a reply changes nothing. */
function lengthenedReplies(
  languages: readonly Language[],
  replies: readonly Composed[],
  random: RandomStream,
): Composed[] {
  const brief = replies.filter(
    ({ outcome, kind, text }) => outcome === 'refusal' && BRIEF.has(kind) && text.length <= LONGEST,
  )
  const refusals = Map.groupBy(brief, ({ language }) => language)
  return replies.flatMap((reply): Composed[] => {
    const language = languages.find(({ name }) => name === reply.language)
    if (reply.prompt === undefined || !language) return []
    const drawn = (...kinds: string[]) =>
      sentence(language, kinds[random.integer(kinds.length)]!, READ_SPLITS, random)!
    const refusal = () => {
      const own = refusals.get(language.name) ?? []
      return own.length === 0 || random.uniform() < OF_FRAMES
        ? drawn('hard', 'polite', 'policy')
        : own[random.integer(own.length)]!.text
    }
    const again = (share: number, text: string, others: Partial<Composed> = {}) =>
      random.uniform() < share ? [{ ...reply, ...others, text }] : []
    const partly = (share: number, text: string, kind: string) =>
      reply.outcome === 'compliance' ? again(share, text, { outcome: 'partial', kind }) : []
    return [
      ...again(GREETED, `${drawn('opener', 'apology')} ${reply.text}`),
      ...partly(CLOSED, `${reply.text} ${refusal()}`, 'comply-then-refuse'),
      ...partly(OPENED, `${refusal()} ${reply.text}`, 'refuse-then-comply'),
    ]
  })
}

/** What the outcomes weigh in all; a kind's share of its outcome grows with the root of its number. */
const WEIGHTS: Readonly<Record<Composed['outcome'], number>> = {
  refusal: 0.5,
  partial: 0.18,
  compliance: 0.32,
}
/** What a reply that is made of frames, or lengthened by one, and one with a prompt weigh beside others. */
const MADE = 0.5
const PROMPTED = 3

const kindOf = ({ outcome, kind }: Composed) => `${outcome} ${kind}`

/** What tells the parts that count, and what is read of them. */
export type Reading = Pick<SemanticModel, 'segment' | 'vocabulary'>

/** Replies of which something counts, with how often each is drawn. */
export function netExamples(
  { segment, vocabulary }: Reading,
  languages: readonly Language[],
  { replies, framed }: Readonly<Record<'replies' | 'framed', readonly Composed[]>>,
  random: RandomStream,
): NetExample[] {
  const made = [...framed, ...lengthenedReplies(languages, replies, random)]
  const known = [...replies, ...made].flatMap((reply, i) => {
    const parts = countedParts((text) => partOf(segment, text), reply.text, isKnown(reply.prompt))
    return parts.length > 0 ? [{ reply, parts, isMade: i >= replies.length }] : []
  })
  const kinds = Map.groupBy(known, ({ reply }) => kindOf(reply))
  const names = [...kinds.keys()].sort()
  const each = (reply: Composed) => 1 / Math.sqrt(kinds.get(kindOf(reply))!.length)
  const all = new Map<string, number>()
  for (const { reply } of known) all.set(reply.outcome, (all.get(reply.outcome) ?? 0) + each(reply))
  return known.map(({ reply, parts, isMade }) => {
    const share = (WEIGHTS[reply.outcome] * each(reply)) / all.get(reply.outcome)!
    const factor = (isMade ? MADE : 1) * (reply.prompt === undefined ? 1 : PROMPTED)
    return {
      ...bagsOf(vocabulary, parts, reply.prompt),
      target: OUTCOMES.indexOf(reply.outcome),
      kind: names.indexOf(kindOf(reply)),
      weight: share * factor,
    }
  })
}
