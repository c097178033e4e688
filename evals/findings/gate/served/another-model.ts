/**
 * @file Whether a fine-tune behind an address is another model than its base. A server may know its name and never have loaded it, and
 * one model may stand behind two addresses: nothing is lost then, because nothing was measured. Fingerprints tell two models of one
 * address apart; else their replies do, where more of the fine-tune's differ from the base's than the base's own differ when it is
 * asked again: the exact sign test over the prompts that were asked again, at the gate's α. Of logs: `two-logs.ts`.
 */
import type { Assumption, GateClaim } from '../../../contract/gate.ts'
import type { GateRule } from '../../../contract/gate/rule.ts'
import { counted } from '../../../contract/words.ts'
import { binomialLowerTail } from '../../../statistics/binomial.ts'
import type { Draft, Gated } from '../claim-input.ts'
import { doubtOfLogs, isOfLog, logsSaid } from './two-logs.ts'

type Pair = Gated['against'][number]
type Said = Omit<Assumption, 'name'>

interface Likeness {
  /** To the same prompts, and of how many the words differ. */
  readonly replies: number
  readonly differ: number
  /** Prompts that the base was asked again, and of how many its own words differ. */
  readonly asked: number
  readonly flipped: number
  /** p of "the words differ by the base's own noise". */
  readonly p: number
}

function likenessOf({ before, after }: Pair): Likeness {
  const [was, is] = [before, after].map(({ replies }) => replies?.() ?? NOTHING) as [Texts, Texts]
  const again = (before.served ?? after.served)!.again
  const both = [...was].flatMap(([key, text]) => {
    const now = is.get(key)
    return now === undefined ? [] : { differs: now !== text, isSame: again.get(key) }
  })
  const known = both.filter(({ isSame }) => isSame !== undefined)
  const [more, fewer] = [true, false].map(
    (differs) => known.filter((each) => each.differs === differs && each.isSame === differs).length,
  ) as [number, number]
  return {
    replies: both.length,
    differ: both.filter(({ differs }) => differs).length,
    asked: known.length,
    flipped: known.filter(({ isSame }) => !isSame).length,
    p: binomialLowerTail(fewer, more + fewer, 0.5),
  }
}

type Texts = ReadonlyMap<string, string>
const NOTHING: Texts = new Map()

const isAtOneAddress = ({ before, after }: Pair): boolean =>
  before.served?.addresses.some((url) => after.served?.addresses.includes(url)) === true

/** At two addresses they may be those of two builds of a server. */
function isSignedApart(pair: Pair): boolean {
  const [one, two] = [pair.before, pair.after].map(({ served }) => served?.fingerprint ?? null)
  return isAtOneAddress(pair) && one !== null && two !== null && one !== two
}

/** Of replies at another address: another machine rounds otherwise, and alone makes fewer differ. */
const MOST_BY_MACHINE = 0.5

function isToldApart(pair: Pair, { replies, differ, p }: Likeness, alpha: number): boolean {
  if (isSignedApart(pair)) return true
  return p <= alpha && (isAtOneAddress(pair) || differ > MOST_BY_MACHINE * replies)
}

/** Whether there is anything to tell: of models here the digests of their weights do. */
const isAsked = ({ before, after }: Pair): boolean =>
  after.unmeasured === undefined && (before.served !== undefined || after.served !== undefined)

/** "9 of its 512 replies differ from the base’s, and 3 of 256 of the base’s own when it was asked again" */
function likenessText({ replies, differ, asked, flipped }: Likeness): string {
  const all = counted(replies, 'reply', 'replies')
  if (replies === 0) return 'no replies of both are at hand'
  if (differ + flipped === 0) return `its ${all} are the base’s to the letter`
  const own = `${flipped} of ${asked} of the base’s own when it was asked again`
  return `${differ} of its ${all} differ from the base’s, and ${own}`
}

/** What a PASS of these two would rest on without anything that shows it; undefined where it is shown, or the gate takes it so. */
export function doubtOf(pair: Pair, { alpha, distinct = [] }: GateRule): string | undefined {
  const { arm, runId } = pair.after
  if (distinct.includes(arm)) return undefined
  if (isOfLog(pair)) return doubtOfLogs(pair, alpha)
  if (!isAsked(pair)) return undefined
  const found = likenessOf(pair)
  if (isToldApart(pair, found, alpha)) return undefined
  const machine = found.p <= alpha ? ', which another machine may do by itself' : ''
  const look = isAtOneAddress(pair) ? 'See at its server' : 'Serve both at one address, or see'
  return `nothing shows that ${arm} was loaded: ${likenessText(found)}${machine}. ${look} that it is not the base; then distinct: ["${arm}"] in a gate file takes it as another model (touchstone report ${runId} --gate FILE)`
}

/** The claim, undecided where it passes and there is such a doubt. */
export function withDoubt({ claim, ifFailed }: Draft, doubt: string): Draft {
  if (claim.outcome !== 'PASS') return { claim, ifFailed }
  const sentence = `${claim.sentence.slice(0, -1)}, but ${doubt}.`
  return { claim: { ...claim, outcome: 'INCONCLUSIVE', sentence } satisfies GateClaim, ifFailed }
}

/** Undefined where every model is one of a run here. */
export function anotherModelSaid(gate: GateRule, { against }: Gated): Said | undefined {
  const said = against.flatMap((pair) => {
    if (isOfLog(pair)) return logsSaid(pair, gate)
    return isAsked(pair) ? saidOf(pair, gate) : []
  })
  if (said.length === 0) return undefined
  const open = said.filter(({ state }) => state === 'assumed')
  const told = open.length > 0 ? open : said
  return { state: told[0]!.state, how: told.map(({ how }) => how).join('; ') }
}

function saidOf(pair: Pair, gate: GateRule): Said {
  const { arm } = pair.after
  const found = likenessOf(pair)
  const how = `${arm}: ${likenessText(found)}`
  if (isSignedApart(pair)) return { state: 'checked', how: `${how}; its server signs it otherwise` }
  if (!isToldApart(pair, found, gate.alpha)) {
    const taken = gate.distinct?.includes(arm) === true
    const rest = taken ? 'the gate takes it as another model' : 'it may never have been loaded'
    return { state: 'assumed', how: `${how}; ${rest}: nothing shows it` }
  }
  if (isAtOneAddress(pair)) return { state: 'checked', how }
  const machine = 'at another address, where another machine may make some of them differ'
  return { state: 'assumed', how: `${how}, ${machine}` }
}
