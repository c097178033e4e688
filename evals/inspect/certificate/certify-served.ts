/** @file Holds a served model to the one that was measured here: replies, verdicts, log-probabilities, and the prompt by what comes back. */
import type { ServedFacts } from '../../contract/subjects/served.ts'
import type { ServedConfig } from '../../measure/served/config.ts'
import type { Reply } from '../../measure/answers.ts'
import type { PreparedBenchmark } from '../../measure/benchmark-sources.ts'
import { NO_JOURNAL } from '../../measure/served/journal.ts'
import { openServed } from '../../measure/served/open.ts'
import { renderedAt } from '../../measure/served/probe.ts'
import { servedSubject, type ServedModel } from '../../measure/served/subject.ts'
import { promptsOf, withMeasured, type MeasuredDigests } from './certify.ts'
import type { Limits } from './limits.ts'
import {
  agreementOf,
  answersBy,
  answersOfAll,
  rendered,
  type Agreement,
  type Answers,
  type LoadedState,
} from './measure.ts'
import { servedTemplateFault, TURNS, type Counted } from './served-template.ts'
import type { Fault } from './text-faults.ts'

type ServedLimits = Pick<Limits, 'agreement' | 'verdictsChanged'>

interface ServedTask {
  readonly model: string
  readonly candidate: string | null
  readonly address: string
  readonly suite: readonly string[]
  readonly limit: number
  readonly templateVars: string | null
  readonly asking: Pick<ServedConfig, 'sendPrompts' | 'keyEnv' | 'replyTimeout'>
  readonly limits: Partial<ServedLimits>
}

/** |Δ| of a reply's mean log-probability in nats a token, over the replies that are the same. */
interface LogProbDistance {
  readonly replies: number
  readonly mean: number
  readonly largest: number
}

export interface ServedCertificate {
  readonly address: string
  readonly measured: MeasuredDigests
  readonly outcome: 'PASS' | 'FAIL' | 'INCONCLUSIVE'
  readonly facts: ServedFacts
  readonly agreement: Agreement
  /** The server against itself, asked twice. */
  readonly own: Agreement
  /** Null where the server gives none. */
  readonly distance: LogProbDistance | null
  readonly limits: ServedLimits
  readonly beyond: readonly string[]
  readonly faults: readonly Fault[]
  /** What the server does not let anybody check, for people. */
  readonly unchecked: readonly string[]
}

export async function certifyServed(
  task: ServedTask,
  signal: AbortSignal,
): Promise<ServedCertificate> {
  const prepared = await promptsOf(task.suite, task.limit)
  const own = { arm: 'served', title: `Served: ${task.address}` }
  const served = await openServed(task.address, task.asking, { own, journal: NO_JOURNAL, signal })
  try {
    return await withMeasured(task, async ({ asked, digests }) => ({
      measured: digests,
      ...(await certificate(task, { served, asked, prepared }, signal)),
    }))
  } finally {
    served.fleet.close()
  }
}

interface Sides {
  readonly served: ServedModel
  readonly asked: LoadedState
  readonly prepared: readonly PreparedBenchmark[]
}

async function certificate(
  { address, limits: wanted }: ServedTask,
  { served, asked, prepared }: Sides,
  signal: AbortSignal,
): Promise<Omit<ServedCertificate, 'measured'>> {
  const measured = await answersOfAll(asked, prepared, signal)
  const subject = servedSubject(served)
  const found = await answersBy(subject, prepared, signal)
  const again = await answersBy(subject, prepared.map(turnedRound), signal)
  const agreement = agreementOf(measured, found, sameText)
  const own = agreementOf(found, again.map(backAgain), sameText)
  const distance = distanceOf(measured, found)
  const template = await templateOf({ served, asked, prepared }, found, signal)
  const faults = faultsOf({ measured, found, agreement, distance, template })
  const limits = { ...OF_SERVED, ...wanted }
  const over = beyond(agreement, own, limits)
  const unchecked = template === null ? [NO_TEMPLATE] : []
  const isWrong = over.length > 0 || faults.some(({ kind }) => kind !== 'rounding')
  return {
    address,
    facts: served.facts,
    agreement,
    own,
    distance,
    limits,
    beyond: over,
    faults,
    unchecked,
    outcome: isWrong ? 'FAIL' : template === null ? 'INCONCLUSIVE' : 'PASS',
  }
}

/** A server's precision is not known, and its logits are not shown. */
const OF_SERVED: ServedLimits = { agreement: 0.8, verdictsChanged: 0.02 }

const NO_TEMPLATE =
  'the prompt that the model is given: the server neither counts its tokens nor shows it, so a template that changes no reply here would not be seen; let the server return usage.prompt_tokens'

/** In the opposite order, so that replies that depend on their neighbours differ. */
const turnedRound = (prepared: PreparedBenchmark): PreparedBenchmark => ({
  ...prepared,
  samples: prepared.samples.toReversed(),
})
const backAgain = ({ replies, outcomes, ...rest }: Answers): Answers => ({
  ...rest,
  replies: replies.toReversed(),
  outcomes: outcomes.toReversed(),
})

/** Servers strip spaces at the ends, or do not. */
const sameText = (a: Reply, b: Reply): boolean =>
  a.completion.text.trim() === b.completion.text.trim()

const pairsOf = (measured: readonly Answers[], found: readonly Answers[]): [Reply, Reply][] =>
  measured.flatMap(({ replies }, i) =>
    replies.map((reply, j): [Reply, Reply] => [reply, found[i]!.replies[j]!]),
  )

function distanceOf(
  measured: readonly Answers[],
  found: readonly Answers[],
): LogProbDistance | null {
  const gaps = pairsOf(measured, found).flatMap(([ours, theirs]) => {
    const [a, b] = [ours.completion.meanLogProb, theirs.completion.meanLogProb]
    return a === null || b === null || !sameText(ours, theirs) ? [] : [Math.abs(a - b)]
  })
  if (gaps.length === 0) return null
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length
  return { replies: gaps.length, mean, largest: Math.max(...gaps) }
}

/** By the text that the server shows, where it shows it, and by its count of tokens. */
async function templateOf(
  { served, asked: { open }, prepared }: Sides,
  found: readonly Answers[],
  signal: AbortSignal,
): Promise<Fault | 'same' | null> {
  const turns: Counted[] = []
  const prompts = TURNS.map((messages, i) => ({ key: `turn ${i + 1}`, messages }))
  const decoding = { maxNewTokens: 1, temperature: 0, seed: 0 }
  for await (const { index, served: word } of servedSubject(served).generate(
    prompts,
    decoding,
    signal,
  ))
    turns[index] = { messages: TURNS[index]!, tokens: word?.promptTokens ?? null }
  const counted = prepared.flatMap(({ samples }, i) =>
    samples.map(({ messages }, j): Counted => {
      const tokens = found[i]!.replies[j]!.served?.promptTokens ?? null
      return { messages, tokens }
    }),
  )
  const byCount = await servedTemplateFault(open, turns, counted)
  if (byCount !== null && byCount !== 'same') return byCount
  const byText = await shownFault(served, open, signal)
  return byText ?? byCount
}

async function shownFault(
  { fleet, facts }: ServedModel,
  open: LoadedState['open'],
  signal: AbortSignal,
): Promise<Fault | 'same' | null> {
  if (!facts.capabilities.template) return null
  for (const messages of TURNS) {
    const shown = await renderedAt({ fleet, index: 0, signal }, messages)
    const ours = await rendered(open, messages)
    // The tokenizer may add the beginning of sequence that a template leaves out.
    if (shown !== null && shown !== ours && !ours.endsWith(shown) && !shown.endsWith(ours))
      return { kind: 'template', what: 'the text that the server’s template makes is another' }
  }
  return 'same'
}

interface Seen {
  readonly measured: readonly Answers[]
  readonly found: readonly Answers[]
  readonly agreement: Agreement
  readonly distance: LogProbDistance | null
  readonly template: Fault | 'same' | null
}

/** Rounding in another order, and an end token that one side counts in its mean; more is another precision. */
const SAME_NUMBERS = 0.01
/** Of an 8-bit storage and most 4-bit ones; more is another model. */
const ROUNDED_NUMBERS = 0.3

/** What makes replies differ, the plainest cause first; a later one would show through an earlier one too. */
function faultsOf({ measured, found, agreement, distance, template }: Seen): Fault[] {
  if (template !== null && template !== 'same') return [template]
  const end = endFault(pairsOf(measured, found))
  if (end) return [end]
  const isSame = agreement.sameReplies === agreement.prompts
  if (isSame && (distance?.mean ?? 0) <= SAME_NUMBERS) return []
  const share = agreement.sameReplies / agreement.prompts
  const isRounded = distance ? distance.mean <= ROUNDED_NUMBERS : share >= 0.5
  const differ = `${agreement.prompts - agreement.sameReplies} of ${agreement.prompts} replies differ`
  const numbers = distance
    ? `, and log-probabilities of the same replies by ${distance.mean.toPrecision(2)} nats a token on average`
    : ''
  return isRounded
    ? [{ kind: 'rounding', what: `${differ}${numbers}: another precision, quantisation or kernel` }]
    : [{ kind: 'weights', what: `${differ}${numbers}: other weights` }]
}

/** Replies that go on where ours end, or end where ours go on. */
function endFault(pairs: readonly (readonly [Reply, Reply])[]): Fault | undefined {
  const texts = pairs.map(([ours, theirs]) => ({
    ours: ours.completion.text.trim(),
    theirs: theirs.completion.text.trim(),
    ended: ours.completion.stop === 'end',
    cut: theirs.completion.stop === 'length',
  }))
  const differ = texts.filter(({ ours, theirs }) => ours !== theirs).length
  const goOn = texts.filter(
    ({ ours, theirs, ended }) => ended && theirs.length > ours.length && theirs.startsWith(ours),
  ).length
  const stopEarly = texts.filter(
    ({ ours, theirs, cut }) => !cut && ours.length > theirs.length && ours.startsWith(theirs),
  ).length
  const most = Math.max(goOn, stopEarly)
  if (most < 2 || most * 2 < differ) return undefined
  const what =
    goOn >= stopEarly
      ? `${goOn} replies go on where the measured ones end: another end of reply`
      : `${stopEarly} replies end before the measured ones do: another end of reply`
  return { kind: 'end-of-reply', what }
}

/** Verdicts that the server changes between two runs of its own are not held against it. */
function beyond(agreement: Agreement, own: Agreement, limits: ServedLimits): string[] {
  const { prompts, sameReplies, judged, verdictsChanged } = agreement
  const share = judged === 0 ? 0 : (verdictsChanged - own.verdictsChanged) / judged
  const text = (value: number) => Number(value.toPrecision(3)).toString()
  return [
    ...(sameReplies / prompts < limits.agreement
      ? [`the same replies ${text(sameReplies / prompts)} (at least ${limits.agreement})`]
      : []),
    ...(share > limits.verdictsChanged
      ? [`verdicts changed ${text(share)} (at most ${limits.verdictsChanged})`]
      : []),
  ]
}
