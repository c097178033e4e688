/**
 * @file The base's answers that earlier runs kept: which prompts of a block are known, which of these are asked all the same, and what
 * is kept of the others. An answer counts as known where every judge of this run that applies has judged it, and where the run that
 * asked began before this one, so that a run which is killed and resumed finds what it found before.
 */
import type { ReplyRow, Sample, VerdictRow } from '../../contract/rows.ts'
import type { Origin } from '../../contract/subjects/origin.ts'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { canonicalJson } from '../../files/canonical-json.ts'
import { sha256 } from '../../files/digest.ts'
import { isGuarded } from '../../judges/guard.ts'
import type { Judge } from '../../judges/judge.ts'
import { randomStream } from '../../statistics/random.ts'
import { promptOf, type PreparedBenchmark } from '../benchmark-sources.ts'
import type { NeutralText } from '../sources.ts'
import {
  addKept,
  readKept,
  type Kept,
  type KeptLoss,
  type KeptPlace,
  type KeptReply,
} from './kept-file.ts'

/** Of the prompts that are known, and at least so many. */
const CHECKED_SHARE = 0.05
const LEAST_CHECKED = 4
/** Of a log-probability, in its own size. */
const ROUNDING = 1e-6

/** A reply that was asked for, and the digest of its text, which is not in the row where the prompt should be refused. */
interface Told {
  readonly row: ReplyRow
  readonly digest: string
}

interface KeptBlock {
  /** Prompts that are not known, and those that are checked. */
  readonly due: readonly Sample[]
  /** Of all others. */
  readonly told: readonly Pick<Told, 'row'>[]
  readonly verdicts: readonly VerdictRow[]
  /** Undefined where nothing was known. */
  readonly origin: Origin | undefined
  /** Throws `kept.differs` where a checked answer is another one, else keeps what was not known. */
  settle(told: readonly Told[], verdicts: readonly VerdictRow[]): Promise<void>
}

export interface KeptBase {
  /** Undefined for replies that are drawn, or are no text or choice. */
  block(asked: AskedBlock): Promise<KeptBlock | undefined>
  /** The mean over all tokens of `texts`, of which `score` gives each one's log-probabilities; some are scored in any case. */
  loss(asked: AskedLoss): Promise<{ readonly mean: number; readonly origin?: Origin }>
}

interface AskedBlock {
  readonly prepared: PreparedBenchmark
  readonly judges: readonly Judge[]
  /** Whether judges are told how likely the base finds a reply. */
  readonly isScored: boolean
}

interface AskedLoss {
  readonly name: string
  readonly texts: readonly NeutralText[]
  readonly score: (texts: readonly NeutralText[]) => Promise<readonly Float32Array[]>
}

interface Keeping {
  readonly place: KeptPlace
  /** Digest of the base and of all else that an answer depends on. */
  readonly state: string
  readonly run: { readonly id: string; readonly startedAt: number }
  /** Whether nothing counts as known; what is asked is kept all the same. */
  readonly isAskedAgain: boolean
}

export function keptBase({ place, state, run, isAskedAgain }: Keeping): KeptBase {
  let reading: Promise<Kept> | undefined
  const stored = () => (reading ??= readKept(place, state))
  const { id, startedAt } = run
  const isEarlier = <T extends { startedAt: number }>(entry: T | undefined): entry is T =>
    !isAskedAgain && entry !== undefined && entry.startedAt < startedAt
  return {
    async block(asked) {
      const { prepared, judges } = asked
      if (prepared.decoding.temperature > 0 || prepared.read) return undefined
      const { replies } = await stored()
      const known = new Map<string, KeptReply>()
      for (const sample of prepared.samples) {
        const entry = replies[askedKey(asked, sample)]
        if (isEarlier(entry) && isJudged(sample, entry, judges)) known.set(sample.id, entry)
      }
      return blockOf(asked, known, { place, state, run, isAskedAgain })
    },
    async loss({ name, texts, score }) {
      const key = sha256(canonicalJson({ name, texts }))
      const entry = (await stored()).losses[key]
      if (!isEarlier(entry)) {
        const loss = lossOf(await score(texts))
        await addKept(place, state, { losses: { [key]: { run: id, startedAt, ...loss } } })
        return { mean: loss.mean }
      }
      const drawn = shuffled(texts.length, id, name).slice(0, LEAST_CHECKED)
      const again = lossOf(await score(drawn.map((at) => texts[at]!))).texts
      const other = drawn.findIndex((at, i) => !isNear(again[i]!, entry.texts[at]!))
      if (other >= 0) throw differs(texts[drawn[other]!]!.key, name, entry)
      const origin = {
        from: 'cache' as const,
        runs: [entry.run],
        kept: texts.length - drawn.length,
        checked: drawn.length,
      }
      return { mean: entry.mean, origin }
    },
  }
}

/** Of two parts of an evaluation of the base. */
export function joined(a: Origin | undefined, b: Origin | undefined): Origin | undefined {
  if (a?.from !== 'cache' || b?.from !== 'cache') return a ?? b
  const runs = [...new Set([...a.runs, ...b.runs])].sort()
  return { from: 'cache', runs, kept: a.kept + b.kept, checked: a.checked + b.checked }
}

/** Means of negative log-probabilities: over all tokens, and over each text's. */
export function lossOf(logProbs: readonly Float32Array[]): Pick<KeptLoss, 'mean' | 'texts'> {
  let sum = 0
  let tokens = 0
  const texts = logProbs.map((text) => {
    const before = sum
    for (const logProb of text) sum += logProb
    tokens += text.length
    return text.length === 0 ? 0 : (before - sum) / text.length
  })
  return { mean: -sum / tokens, texts }
}

const differs = (sample: string, benchmark: string, { run }: { readonly run: string }) =>
  new TouchstoneError('kept.differs', { sample, benchmark, run })

/** What was asked, whatever the benchmark and the prompt are called. */
function askedKey(
  { prepared: { benchmark, decoding }, isScored }: AskedBlock,
  { messages, expected }: Sample,
): string {
  const { maxNewTokens } = benchmark
  const scored = isScored && isGuarded(expected)
  return sha256(canonicalJson({ messages, expected, decoding, maxNewTokens, scored }))
}

const isJudged = (
  { expected }: Sample,
  { verdicts }: KeptReply,
  judges: readonly Judge[],
): boolean =>
  judges
    .filter((judge) => judge.applies(expected))
    .every(({ name, version }) =>
      verdicts.some(
        (row) => row.judge === name && row.judgeVersion === version && row.outcome !== 'undecided',
      ),
    )

/** In an order that nobody knows before the run has its name. */
function shuffled(count: number, run: string, of: string): number[] {
  const stream = randomStream(Number.parseInt(sha256(run).slice(0, 8), 16), `kept answers, ${of}`)
  return Array.from({ length: count }, (_, at) => ({ at, drawn: stream.uniform() }))
    .sort((a, b) => a.drawn - b.drawn)
    .map(({ at }) => at)
}

function blockOf(
  asked: AskedBlock,
  known: ReadonlyMap<string, KeptReply>,
  keeping: Keeping,
): KeptBlock {
  const { benchmark, samples } = asked.prepared
  const { run } = keeping
  const ids = [...known.keys()]
  const count = Math.max(LEAST_CHECKED, Math.ceil(CHECKED_SHARE * ids.length))
  const drawn = shuffled(ids.length, run.id, benchmark.name).slice(0, count)
  const checked = new Set(drawn.map((at) => ids[at]!))
  const rest = samples.filter(({ id }) => known.has(id) && !checked.has(id))
  const runs = [...new Set(rest.map(({ id }) => known.get(id)!.run))].sort()
  return {
    due: samples.filter(({ id }) => !known.has(id) || checked.has(id)),
    told: rest.map((sample) => ({ row: replyRow(asked, sample, known.get(sample.id)!) })),
    verdicts: rest.flatMap((sample) => verdictRows(sample, known.get(sample.id)!)),
    origin:
      rest.length > 0
        ? { from: 'cache', runs, kept: rest.length, checked: checked.size }
        : undefined,
    async settle(told, verdicts) {
      const ofReply = Map.groupBy(verdicts, ({ sampleId }) => sampleId)
      const entries: Record<string, KeptReply> = {}
      for (const { row, digest } of told) {
        const own = ofReply.get(row.sampleId) ?? []
        const entry = known.get(row.sampleId)
        if (entry && !isAlike({ row, digest }, own, entry))
          throw differs(row.sampleId, benchmark.title, entry)
        // What a broken model computes ends the run, and is no answer to keep.
        if (entry || !Number.isFinite(row.meanLogProb ?? 0)) continue
        const sample = samples.find(({ id }) => id === row.sampleId)!
        entries[askedKey(asked, sample)] = entryOf({ row, digest }, own, run)
      }
      if (Object.keys(entries).length > 0)
        await addKept(keeping.place, keeping.state, { replies: entries })
    },
  }
}

const BASE = { arm: 'base', seed: 0, step: 0, epoch: 0 }

function replyRow(
  { prepared, isScored }: AskedBlock,
  sample: Sample,
  { run: _run, startedAt: _startedAt, verdicts: _verdicts, digest, ...said }: KeptReply,
): ReplyRow {
  const isScoredToo = isScored && isGuarded(sample.expected)
  return {
    ...BASE,
    benchmark: sample.benchmark,
    sampleId: sample.id,
    category: sample.category,
    cluster: sample.cluster ?? null,
    expected: sample.expected,
    prompt: promptOf(prepared, sample),
    ...said,
    // Its own replies are as likely to it as they were when it wrote them.
    baseMeanLogProb: isScoredToo ? said.meanLogProb : null,
    ...(said.text === null && { digest }),
  }
}

const verdictRows = ({ benchmark, id }: Sample, { verdicts }: KeptReply): VerdictRow[] =>
  verdicts.map((row) => ({ ...BASE, benchmark, sampleId: id, ...row }))

function entryOf(
  { row, digest }: Told,
  verdicts: readonly VerdictRow[],
  { id: run, startedAt }: Keeping['run'],
): KeptReply {
  const { promptDigest, text, tokens, stop, meanLogProb, cutTokens, thought } = row
  return {
    ...{ run, startedAt, digest, promptDigest, text, tokens, stop, meanLogProb, cutTokens },
    ...(thought && { thought }),
    verdicts: verdicts.map(({ judge, judgeVersion, outcome, score, reason, thoughtOutcome }) => ({
      ...{ judge, judgeVersion, outcome, score, reason },
      ...(thoughtOutcome && { thoughtOutcome }),
    })),
  }
}

function isAlike(
  { row, digest }: Told,
  verdicts: readonly VerdictRow[],
  entry: KeptReply,
): boolean {
  const outcomes = new Map(entry.verdicts.map(({ judge, outcome }) => [judge, outcome]))
  return (
    digest === entry.digest &&
    row.promptDigest === entry.promptDigest &&
    row.stop === entry.stop &&
    isNear(row.meanLogProb ?? 0, entry.meanLogProb ?? 0) &&
    verdicts.every(({ judge, outcome }) => outcome === outcomes.get(judge))
  )
}

const isNear = (a: number, b: number): boolean =>
  Math.abs(a - b) <= ROUNDING * Math.max(1, Math.abs(b))
