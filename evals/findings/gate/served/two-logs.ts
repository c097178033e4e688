/**
 * @file Whether a log is of another model than its base's. Nothing in logs shows the weights, and a log beside a copy of itself loses
 * nothing, whatever is written on it: nothing was measured. So a PASS needs more replies that differ than would tell a served model
 * from a base that always says the same: the exact sign test at the gate's α. How far the base's own replies vary no log says, so that
 * it is assumed in any case; and where replies are not at hand, neither is anything to be held against it. The same holds of a pinned
 * reference beside the fine-tune.
 */
import type { Assumption } from '../../../contract/gate.ts'
import type { GateRule } from '../../../contract/gate/rule.ts'
import { keyOf } from '../../../contract/keys.ts'
import { counted, listed } from '../../../contract/words.ts'
import type { Gated } from '../claim-input.ts'
import type { ComparedRun, Wording } from '../compared-run.ts'

type Pair = Gated['against'][number]

/** Of a model behind an address its run says more. */
export const isOfLog = ({ before, after }: Pair): boolean =>
  after.unmeasured === undefined &&
  before.served === undefined &&
  after.served === undefined &&
  [before, after].some(({ format }) => format !== 'touchstone')

interface Likeness {
  /** To the same prompts, or scores of these; and of how many the wording, or a score, is another one. */
  readonly replies: number
  readonly differ: number
  readonly areScores: boolean
}

function likenessOf({ before, after }: Pair): Likeness {
  const [earlier, later] = [before, after].map(byPrompt) as [ByPrompt, ByPrompt]
  let [replies, differ, scores] = [0, 0, 0]
  for (const [prompt, now] of later) {
    const left = earlier.get(prompt)?.map(({ digest }) => digest) ?? []
    const pairs = Math.min(left.length, now.length)
    const same = now.filter(({ digest }) => isTaken(left, digest)).length
    replies += pairs
    differ += pairs - same
    scores += now[0]!.of === 'scores' ? pairs : 0
  }
  return { replies, differ, areScores: scores === replies }
}

/** Takes the first that is equal. */
function isTaken(left: string[], digest: string): boolean {
  const at = left.indexOf(digest)
  if (at >= 0) left.splice(at, 1)
  return at >= 0
}

type ByPrompt = ReadonlyMap<string, readonly Wording[]>

/** Without epochs: equal prompts, and replies to one, may stand in another order. A reply is not held against a score. */
const byPrompt = ({ wordings }: ComparedRun): ByPrompt =>
  Map.groupBy(
    [...(wordings?.() ?? [])].map(([key, wording]) => ({
      ...wording,
      prompt: key.slice(0, key.lastIndexOf('\u0000')),
    })),
    ({ prompt, of }) => keyOf(of, prompt),
  )

/** "its 400 replies are the base’s, spaces and case aside" */
function likenessText({ replies, differ, areScores }: Likeness, whose: Whose): string {
  if (replies === 0) return 'no replies of both are at hand'
  const all = areScores ? counted(replies, 'score') : counted(replies, 'reply', 'replies')
  if (differ > 0) return `${differ} of its ${all} differ from the ${whose}’s`
  return `its ${all} are the ${whose}’s${areScores ? '' : ', spaces and case aside'}`
}

type Whose = 'base' | 'reference'

const isAlike = ({ replies, differ }: Likeness, alpha: number): boolean =>
  replies > 0 && 0.5 ** differ > alpha

/** What a PASS of these two would rest on though their replies speak against it; undefined where they do not. */
export function doubtOfLogs(pair: Pair, alpha: number, whose: Whose = 'base'): string | undefined {
  const found = likenessOf(pair)
  if (!isAlike(found, alpha)) return undefined
  const { before, after } = pair
  return `nothing shows that ${placeOf(after)} is another model than ${placeOf(before)}: ${likenessText(found, whose)}. ${REMEDY[whose](pair)}; then distinct: ["${after.arm}"] in a gate file takes it as another model`
}

const REMEDY: Readonly<Record<Whose, (pair: Pair) => string>> = {
  base: ({ after }) => `See that ${after.origin} is the log of the fine-tune`,
  reference: ({ before }) => `See that ${before.origin} is the log of an earlier release`,
}

const placeOf = ({ arm, origin }: ComparedRun) => `${arm} of ${origin}`

export function logsSaid(pair: Pair, { alpha, distinct = [] }: GateRule): Omit<Assumption, 'name'> {
  const { arm } = pair.after
  const found = likenessOf(pair)
  return {
    state: 'assumed',
    how: `${arm}: ${likenessText(found, 'base')}; ${restText(found, alpha, distinct.includes(arm))}${cacheText(pair)}`,
  }
}

function restText(found: Likeness, alpha: number, isTaken: boolean): string {
  if (found.replies > 0 && !isAlike(found, alpha))
    return `how far the base’s own differ when it is asked again is not known${copiesText(found)}`
  if (isTaken) return 'the gate takes it as another model: nothing shows it'
  return 'nothing shows that it is another model than its base'
}

/** A refusal that a fine-tune leaves as it was looks like one that was copied. */
const copiesText = ({ replies, differ }: Likeness): string =>
  replies === differ
    ? ''
    : `, nor whether any of the ${replies - differ} that are the same was copied from the base’s log`

/** Under another name than the other side's. */
function cacheText({ before, after }: Pair): string {
  const sides = [['before', before.provided] as const, ['after', after.provided] as const]
  const told = sides.flatMap(([side, of]) => (of?.fromCache ? [`${of.fromCache} ${side}`] : []))
  if (told.length === 0) return ''
  return `; replies of a cache (${listed(told)}) are those of whatever stood behind the name when they were first given`
}

/** Whether a side is a log, be the other served or not: a reference is asked nothing. */
const isLogOfReference = ({ before, after }: Pair): boolean =>
  after.unmeasured === undefined && [before, after].some(({ format }) => format !== 'touchstone')

/** Of a pinned reference: nothing is lost since a release whose log is a copy of the fine-tune's own. */
export function doubtOfReference(
  pair: Pair,
  { alpha, distinct = [] }: GateRule,
): string | undefined {
  if (!isLogOfReference(pair) || distinct.includes(pair.after.arm)) return undefined
  return doubtOfLogs(pair, alpha, 'reference')
}

/** "tuned: 9 of its 400 replies differ from the reference’s"; undefined where no log is compared. */
export const referenceLogSaid = (pair: Pair): string | undefined =>
  isLogOfReference(pair)
    ? `${pair.after.arm}: ${likenessText(likenessOf(pair), 'reference')}`
    : undefined
