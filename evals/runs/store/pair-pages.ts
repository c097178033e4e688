/** @file Two states' replies to the same prompts, a page at a time, flips first. The states may lie in two databases. */
import type { PairRow } from '../../contract/calls/samples.ts'
import type { Outcome } from '../../contract/rows.ts'
import { createFinder, type JudgedReply, type State } from './reply-pages.ts'
import type { Store } from './store.ts'

interface PairQuery {
  readonly before: State
  readonly after: State
  /** One, or the same prompts in several contexts. */
  readonly benchmarks: readonly string[]
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

function findPairs(storeOf: (runId: string) => Store, { benchmarks, ...sides }: Sides): FoundPairs {
  const found = benchmarks.map((benchmark) => pairsOn(storeOf, benchmark, sides))
  const inOrder = [
    ...found.map(({ flipped }) => flipped),
    ...found.map(({ others }) => others),
  ].flat()
  return {
    before: Float64Array.from(inOrder, ([before]) => before),
    after: Float64Array.from(inOrder, ([, after]) => after),
    flips: found.reduce((sum, { flipped }) => sum + flipped.length, 0),
    unmatched: found.reduce((sum, { unmatched }) => sum + unmatched, 0),
  }
}

/** The rowids of a pair's replies, before and after. */
type Pair = readonly [number, number]

function pairsOn(
  storeOf: (runId: string) => Store,
  benchmark: string,
  { before, after, judge, outcome, ...filters }: Omit<Sides, 'benchmarks'>,
) {
  const judged = (state: State) =>
    storeOf(state.runId).pages.judged(state, { benchmark, judge, ...filters })
  const [left, right] = [judged(before), judged(after)]
  const places = new Map<string, number>()
  right.keys.forEach((key, place) => places.set(key, place))
  const [flipped, others]: [Pair[], Pair[]] = [[], []]
  let matched = 0
  left.keys.forEach((key, i) => {
    const place = places.get(key)
    if (place === undefined) return
    matched++
    const said = right.outcomes[place]!
    if ((outcome ?? said) !== said) return
    const list = flips(left.outcomes[i]!, said) ? flipped : others
    list.push([left.ids[i]!, right.ids[place]!])
  })
  return { flipped, others, unmatched: left.keys.length + right.keys.length - 2 * matched }
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
