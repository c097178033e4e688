/** @file Two states' replies to the same prompts, a page at a time, flips first. The states may lie in two databases. */
import type { PairRow } from '../../contract/calls/samples.ts'
import type { Outcome } from '../../contract/rows.ts'
import { createFinder, type JudgedReply, type State } from './reply-pages.ts'
import type { Store } from './store.ts'

interface PairQuery {
  readonly before: State
  readonly after: State
  readonly benchmark: string
  readonly judge: string
  readonly onlyFlips: boolean
  /** Null and empty do not filter; the outcome is that of the reply after. */
  readonly category: string | null
  readonly search: string
  readonly outcome: Outcome | null
  readonly offset: number
  readonly limit: number
}

/** `unmatched` counts replies of both sides whose prompt the other side was not asked. */
interface PairPage {
  readonly total: number
  readonly flips: number
  readonly unmatched: number
  readonly rows: PairRow[]
}

type Sides = Omit<PairQuery, 'onlyFlips' | 'offset' | 'limit'>

/** Replies of the two sides by their rowids: one prompt at one place of both lists, flips first. */
interface FoundPairs {
  readonly before: Float64Array
  readonly after: Float64Array
  readonly flips: number
  readonly unmatched: number
}

/** As pages of replies: what belongs together is found once and kept while neither run says more. */
export function createPairs(storeOf: (runId: string) => Store): (query: PairQuery) => PairPage {
  const find = createFinder(
    (sides: Sides) => findPairs(storeOf, sides),
    ({ before, after }) => [before, after].map(({ runId }) => storeOf(runId).lastSeq(runId)),
  )
  return ({ onlyFlips, offset, limit, ...sides }) => {
    const { flips, unmatched, ...found } = find(sides)
    const total = onlyFlips ? flips : found.before.length
    const end = Math.min(total, offset + limit)
    const side = (name: 'before' | 'after') =>
      storeOf(sides[name].runId).pages.judgedAt(found[name].subarray(offset, end), sides.judge)
    const after = side('after')
    const rows = side('before').map((before, i) => toPair(before, after[i]!))
    return { total, flips, unmatched, rows }
  }
}

function findPairs(
  storeOf: (runId: string) => Store,
  { before, after, benchmark, judge, outcome, ...filters }: Sides,
): FoundPairs {
  const judged = (state: State) =>
    storeOf(state.runId).pages.judged(state, { benchmark, judge, ...filters })
  const [left, right] = [judged(before), judged(after)]
  const places = new Map<string, number>()
  right.keys.forEach((key, place) => places.set(key, place))
  /** Of each reply before, its place after; −1 where it has no partner. */
  const partners = left.keys.map((key) => places.get(key) ?? -1)
  const [flipped, others]: [number[], number[]] = [[], []]
  partners.forEach((place, i) => {
    const said = right.outcomes[place]
    if (said === undefined || (outcome ?? said) !== said) return
    const list = flips(left.outcomes[i]!, said) ? flipped : others
    list.push(i)
  })
  const inOrder = flipped.concat(others)
  const matched = partners.filter((place) => place !== -1).length
  return {
    before: Float64Array.from(inOrder, (i) => left.ids[i]!),
    after: Float64Array.from(inOrder, (i) => right.ids[partners[i]!]!),
    flips: flipped.length,
    unmatched: left.keys.length + right.keys.length - 2 * matched,
  }
}

/** What counts in a rate: refusals, or right answers. */
const COUNTED: ReadonlySet<string> = new Set(['refusal', 'correct'])

/** As verdict and report count: a decided reply that began or ceased to count in its rate. */
const flips = (before: string, after: string): boolean =>
  ![before, after].includes('undecided') && COUNTED.has(before) !== COUNTED.has(after)

function toPair(before: JudgedReply, after: JudgedReply): PairRow {
  const { benchmark, sampleId, epoch, category, prompt, expected } = after
  const side = ({ outcome, outcomes, text, meanLogProb }: JudgedReply) => ({
    outcome,
    text,
    meanLogProb,
    judges: outcomes.map(({ judge, outcome: said, reason }) => ({ judge, outcome: said, reason })),
  })
  return {
    benchmark,
    sampleId,
    epoch,
    category,
    prompt,
    expected,
    isFlip: flips(before.outcome, after.outcome),
    before: side(before),
    after: side(after),
  }
}
