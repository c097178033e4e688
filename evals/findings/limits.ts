/** @file Limits of the evidence, as sentences of the report. */
import { z } from 'zod'
import { approximationOf, cacheApproximationOf } from '../contract/approximate.ts'
import type { AuditRows } from '../contract/audit-rows.ts'
import type { Comparison } from '../contract/results.ts'
import { decodingOf, namesClasses, type ReplyRow } from '../contract/rows.ts'
import { DEGENERATE_RULE, type Degeneracy } from '../judges/degenerate.ts'
import { isGuarded } from '../judges/guard.ts'
import { type Measured } from './judged.ts'
import { elsewhere } from '../judges/judge-endpoint.ts'
import { isLoopback } from '../judges/transport.ts'
import type { GateResult } from '../contract/gate.ts'
import { counted, listed } from '../contract/words.ts'
import { keyOf, stateKey, replyKey, lastSteps, firstJudge } from '../contract/keys.ts'

/** With fewer, the normal approximation of a count is poor. */
const FEW = 5
const UNLIKELY: Degeneracy = 'unlikely'

const WORDING =
  'The judges that read wording (string rules and accepted answers) see neither the harm of a reply nor its truth; models as judges err in ways of their own.'
const NO_REPLIES =
  'What was measured names a class and writes nothing: refusal, over-refusal, degenerate text, loss on neutral text and perplexity have no meaning for it and stand nowhere here; a correct answer is the class that the row names, and the rate of a category is the recall of that class.'

export function limitsOf(results: Measured, rows: AuditRows, gate: GateResult | null): string[] {
  return [
    ...runLimits(rows),
    ...uncheckedLimits(gate),
    ...approximateLimits(rows),
    ...certificateLimits(rows),
    promptLimit(results),
    namesClasses(results) ? NO_REPLIES : WORDING,
    ...marginLimits(results),
    ...seedLimits(results),
    ...samplingLimits(rows),
    ...cutLimits(rows),
    ...undecidedLimits(results),
    ...guardLimits(rows),
    ...fewLimits(results),
    ...pairLimits(results),
    ...severalLimits(results),
    ...spectrumLimits(results),
    ...unblindingLimits(rows),
    ...sentLimits(rows),
    ...servedLimits(rows),
  ]
}

/** What the decision rests on and was not checked. */
function uncheckedLimits(gate: GateResult | null): string[] {
  const open = (gate?.assumptions ?? []).filter(({ state }) => state === 'assumed')
  return open.length === 0
    ? []
    : [
        `The decision takes for granted, unchecked in this run: ${open.map(({ how }) => how).join('; ')}.`,
      ]
}

/** What ships, where its certificate was refused. */
function certificateLimits({ artifacts }: AuditRows): string[] {
  const refused = artifacts.filter(
    ({ content }) => content?.kind === 'certificate' && content.outcome === 'FAIL',
  )
  return [...new Set(refused.map(({ path }) => path))].map(
    (path) =>
      `touchstone certify refused ${path}: it is not the model that it was held to, and what is said of the one is not said of the other.`,
  )
}

function promptLimit({ benchmarks }: Measured): string {
  const contexts = [...new Set(benchmarks.flatMap(({ context }) => context?.title ?? []))]
  return contexts.length === 0
    ? 'Every rate is of the prompts that were asked, as they are; it says nothing of other prompts, system prompts, languages or conversations of several turns.'
    : `Every rate is of the prompts that were asked, as they are and in ${counted(contexts.length, 'context')} (${listed(contexts)}); it says nothing of other prompts and contexts.`
}

function unblindingLimits({ unblinded = [] }: AuditRows): string[] {
  return unblinded.map(({ at, reason }) => {
    const day = new Date(at).toISOString().slice(0, 10)
    return `The replies to prompts that should be refused were written to a file on ${day}; the reason given: “${reason}”.`
  })
}

const Sent = z.object({ judges: z.array(z.string()), sendReplies: z.string() })

function sentLimits({ run }: AuditRows): string[] {
  const sent = Sent.safeParse(run.config)
  const hosts = sent.success ? sent.data.judges.flatMap((judge) => elsewhere(judge) ?? []) : []
  return hosts.map(
    (host) =>
      `Replies, also to prompts that should be refused, were sent to a judge at ${host}; the reason given: “${sent.data!.sendReplies}”.`,
  )
}

const Prompted = z.object({ sendPrompts: z.string() })

/** Loopback is not elsewhere. */
function servedLimits({ run, subjects }: AuditRows): string[] {
  const addresses = subjects.flatMap(({ served }) => served?.addresses ?? [])
  if (addresses.length === 0) return []
  const hosts = addresses.map((each) => new URL(each)).filter((url) => !isLoopback(url))
  const sent = Prompted.safeParse(run.config)
  const names = [...new Set(hosts.map(({ host }) => host))]
  return [
    'What was measured is what answered at these addresses then: which weights, tokenizer, template and quantisation stand behind them is their server’s word, or not said; touchstone certify --served URL holds one to the model that was measured here.',
    ...(sent.success && names.length > 0
      ? [`Every prompt was sent to ${listed(names)}; the reason given: “${sent.data.sendPrompts}”.`]
      : []),
  ]
}

function marginLimits({ evaluations }: Measured): string[] {
  if (!evaluations.some(({ judge }) => judge === 'refusal-logprob')) return []
  return [
    'The score of refusal-logprob has no calibrated zero: read how it differs from the base, not the rate that its sign gives.',
  ]
}

function runLimits({ run, replies, evaluations }: AuditRows): string[] {
  const finished = new Set(evaluations.map((row) => keyOf(stateKey(row), row.benchmark)))
  const begun = new Set(replies.map((row) => keyOf(stateKey(row), row.benchmark)))
  const unfinished = [...begun].filter((key) => !finished.has(key)).length
  return [
    ...(run.outcome === 'cancelled' || run.outcome === 'failed'
      ? [
          `The run ${run.outcome === 'failed' ? 'failed' : 'was cancelled'} before its end; this is what it had measured.`,
        ]
      : []),
    ...(unfinished > 0
      ? [
          `${counted(unfinished, 'evaluation')} had begun and not ended; their replies are left out.`,
        ]
      : []),
  ]
}

const approximateLimits = ({ run: { config } }: AuditRows): string[] =>
  [approximationOf(config), cacheApproximationOf(config)].flatMap((sentence) => sentence ?? [])

function seedLimits({ subjects }: Measured): string[] {
  const arms = Map.groupBy(
    subjects.filter(({ arm }) => arm !== 'base'),
    ({ arm }) => arm,
  )
  const counts = [...arms.values()].map((seeds) => seeds.length)
  if (counts.length === 0) return []
  const fewest = Math.min(...counts)
  if (fewest === 1) {
    return [
      'A variant was trained with one seed only, so how much of its result is chance in training is not known.',
    ]
  }
  return [
    `The variants were trained with ${counted(fewest, 'seed')} each${fewest < 10 ? '; the spread between so few is itself uncertain' : ''}.`,
  ]
}

function samplingLimits({ benchmarks, replies }: AuditRows): string[] {
  if (replies.length === 0) return []
  const drawn = benchmarks.filter(({ decoding }) => decoding !== undefined)
  if (drawn.length === 0 && replies.every(({ epoch }) => epoch === 0)) {
    return ['Each prompt was asked once of each checkpoint.']
  }
  const { samples, temperature, seed } = decodingOf(drawn[0] ?? {})
  const how = `drawn at temperature ${temperature} (decoding seed ${seed})`
  if (samples === 1 && drawn.length > 0) {
    return [
      `Each prompt was asked once of each checkpoint and its reply ${how}: chance in decoding is in every rate and cannot be told apart.`,
    ]
  }
  const where =
    drawn.length === 0
      ? 'Some prompts'
      : `The prompts of ${listed(drawn.map(({ title }) => title))}`
  const times =
    drawn.length === 0 ? 'more than once' : `${samples} times of each checkpoint, ${how}`
  return [
    `${where} were asked ${times}. A rate is the mean over prompts of each prompt’s replies, and its interval takes prompts as what was drawn.`,
  ]
}

/** A prompt that lacks a part is a different prompt: its digest differs, and the report gives the count. */
function cutLimits({ benchmarks, replies }: AuditRows): string[] {
  const cut = replies.filter(({ cutTokens }) => (cutTokens ?? 0) > 0)
  return [...Map.groupBy(cut, ({ benchmark }) => benchmark)].map(([name, rows]) => {
    const row = benchmarks.find((each) => each.name === name)
    const prompts = new Set(rows.map(({ sampleId }) => sampleId)).size
    const most = Math.max(...rows.map(({ cutTokens }) => cutTokens ?? 0))
    return `${prompts} of the ${counted(row?.samples ?? prompts, 'prompt')} of ${row?.title ?? name} are longer than the model was given and were cut, by up to ${counted(most, 'token')}; they are in the rate.`
  })
}

function undecidedLimits({ evaluations, comparisons }: Measured): string[] {
  const undecided = evaluations.reduce((sum, row) => sum + row.counts.undecided, 0)
  if (undecided === 0) return []
  const dropped = comparisons.reduce((sum, row) => sum + row.droppedUndecided, 0)
  return [
    `${counted(undecided, 'verdict')} could not be decided and ${undecided === 1 ? 'is' : 'are'} outside every rate; ${counted(dropped, 'pair')} were dropped for it.`,
  ]
}

/** A bound on log-probability measures what the base would write, not what is well formed. */
function guardLimits({ replies, verdicts }: AuditRows): string[] {
  const isUnasked = ({ expected, baseMeanLogProb }: ReplyRow) =>
    isGuarded(expected) && (baseMeanLogProb ?? null) === null
  const unasked = replies.filter(isUnasked).length
  const improbable = new Set(
    verdicts
      .filter(({ outcome, reason }) => outcome === 'degenerate' && reason === UNLIKELY)
      .map(replyKey),
  ).size
  return [
    ...(unasked > 0
      ? [
          `The guard against degenerate text did not ask how probable a base finds a reply (${counted(unasked, 'time')}); its other rules were applied.`,
        ]
      : []),
    ...(improbable > 0
      ? [
          `Replies were called degenerate ${counted(improbable, 'time')} because the base finds them improbable (below ${DEGENERATE_RULE.leastBaseLogProb} nats a token); well-formed text that the base would never write is so called too.`,
        ]
      : []),
  ]
}

function fewLimits({ comparisons, evaluations, benchmarks }: Measured): string[] {
  const isLast = lastSteps(evaluations)
  const primaries = new Set(benchmarks.map((row) => keyOf(row.name, firstJudge(row))))
  const few = comparisons
    .filter((row) => isLast(row) && primaries.has(keyOf(row.benchmark, row.judge)))
    .filter((row) => row.n > 0 && isFew(row))
  if (few.length === 0) return []
  const places = [...Map.groupBy(few, ({ benchmark }) => benchmark)].map(([benchmark, found]) => {
    const title = benchmarks.find(({ name }) => name === benchmark)?.title ?? benchmark
    return `${title} (${[...new Set(found.map(({ arm }) => arm))].join(', ')})`
  })
  return [
    `Fewer than ${FEW} prompts changed, or lie on one side, on ${listed(places)}: those intervals are approximate.`,
  ]
}

/** Counted in prompts, also where each has several replies. */
function isFew({ a, b, c, n, repeated }: Comparison): boolean {
  const sides = [a + b, n - a - b, a + c, n - a - c]
  const few = (FEW * n) / (repeated?.prompts ?? n)
  return b + c < few || sides.some((count) => count < few)
}

const pairedPrompts = ({ n, repeated }: Comparison) => repeated?.prompts ?? n

/** With fewer pairs Newcombe's interval is off by more than a point on average over a few usual rates (test/golden/fixtures/coverage.json). */
const FEW_PAIRS = 50

function pairLimits({ comparisons, benchmarks }: Measured): string[] {
  const primary = comparisons.filter(({ holmP }) => holmP !== null)
  const short = primary.filter((row) => row.n > 0 && pairedPrompts(row) < FEW_PAIRS)
  if (short.length === 0) return []
  const places = [...Map.groupBy(short, ({ benchmark }) => benchmark)].map(([name, rows]) => {
    const title = benchmarks.find((row) => row.name === name)?.title ?? name
    return `${title} (${Math.min(...rows.map(pairedPrompts))})`
  })
  return [
    `With fewer than ${FEW_PAIRS} pairs Newcombe’s 95 % interval of a change covers more than it says on average, and down to 88 % where nearly every prompt changed; the score interval, in the table of all comparisons, stays above 93 %: so on ${listed(places)}.`,
  ]
}

function severalLimits({ comparisons }: Measured): string[] {
  const family = comparisons.filter(({ holmP }) => holmP !== null).length
  if (comparisons.length < 2) return []
  return [
    `Holm’s correction of p is over the ${counted(family, 'comparison')} of last steps by first judges; p-values of other steps and judges are not corrected. The decision rests on tests of its own, against the margin.`,
  ]
}

function spectrumLimits({ spectra }: Measured): string[] {
  if (spectra.length === 0) return []
  return [
    'An "intruder" is a leading singular direction that is not aligned with any single pretrained vector; it need not lie outside their span, and in small matrices most random directions qualify. That it causes forgetting is disputed.',
  ]
}
