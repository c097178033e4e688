/** @file What a decision rests on: each thing with how it was checked in this run, or that it was not. */
import type { Assumption, Confirmation, GateClaim } from '../../contract/gate.ts'
import type { GateRule } from '../../contract/gate/rule.ts'
import type { StoppingRule } from '../../contract/gate/stopping.ts'
import { countRange, counted, listed, percent, points } from '../../contract/words.ts'
import { comparability } from './comparability.ts'
import type { ComparedBenchmark, ComparedRun } from './compared-run.ts'
import type { Gated } from './claim-input.ts'
import { anotherModelSaid } from './served/another-model.ts'
import { referenceLogSaid } from './served/two-logs.ts'

type Said = Omit<Assumption, 'name'>

/** In the order in which they are read. */
export function assumptionsOf(
  gate: GateRule,
  gated: Gated,
  claims: readonly GateClaim[],
): Assumption[] {
  const own: [Assumption['name'], Said | undefined][] = [
    ['comparability', comparabilityOf(gate, gated, claims)],
    ['another-model', anotherModelSaid(gate, gated)],
    ['units', unitsOf(gate, claims)],
    ['judge', judgeOf(gate, claims)],
    ['coverage', coverageOf(gated, claims)],
    ['contexts', contextsOf(claims)],
    ['categories', categoriesOf(claims)],
    ['floors', boundsOf(gated, claims)],
    ['reference', referenceOf(gated)],
    ['held-out', heldOutOf(gated, claims)],
    ['decoding', decodingOf(gated, claims)],
    ['noise', noiseSaid(claims)],
    ['seeds', seedsOf(gated)],
    ['looks', looksSaid(gated, claims)],
  ]
  return own.flatMap(([name, said]) => (said ? [{ name, ...said }] : []))
}

const checked = (how: string): Said => ({ state: 'checked', how })
const assumed = (how: string): Said => ({ state: 'assumed', how })

const ONE_LOOK = assumed(
  'this is taken as the only look: prompts added until it passes would need a lower α',
)

const SPENT: Readonly<Record<StoppingRule['spending'], string>> = {
  curtailment: 'nothing is shown before the last look but what no further reply could change',
  'obrien-fleming':
    'looks spend α as O’Brien and Fleming’s do, and every p and interval counts them',
  pocock: 'looks spend α as Pocock’s do, and every p and interval counts them',
}

function looksSaid(gated: Gated, claims: readonly GateClaim[]): Said {
  const { looked = 0 } = gated
  const said = looksInRun(gated, claims)
  if (looked === 0) return said
  const how = `α is divided by ${looked + 1}, since ${counted(looked, 'earlier run')} of this folder looked at the same fine-tune with other prompts, draws or looks; runs that lie elsewhere or were removed are not counted`
  return said === ONE_LOOK ? checked(how) : checked(`${how}; ${said.how}`)
}

function looksInRun({ against }: Gated, claims: readonly GateClaim[]): Said {
  const stopped = against.flatMap(({ after }) =>
    after.benchmarks.flatMap((row) => row.stopped ?? []),
  )
  const [first] = stopped
  if (!first || claims.some(({ look }) => !look)) return ONE_LOOK
  const { looks, seed, spending } = first.rule
  const asked = stopped.reduce((sum, { seen, at }) => sum + seen[at]!.prompts, 0)
  const all = stopped.reduce((sum, { seen }) => sum + seen.at(-1)!.prompts, 0)
  return checked(
    `prompts were asked in an order drawn by seed ${seed}, with up to ${looks} looks: ${SPENT[spending]}; ${asked} of ${counted(all, 'prompt')} were asked`,
  )
}

/** What the claims' tests say: assumed if one of them assumes it. */
function togetherOf(
  name: Assumption['name'],
  claims: readonly Pick<GateClaim, 'assumptions'>[],
): Said | undefined {
  const said = claims.flatMap(({ assumptions = [] }) =>
    assumptions.filter((each) => each.name === name),
  )
  const open = said.filter(({ state }) => state === 'assumed')
  const [first, ...rest] = [...new Set((open.length > 0 ? open : said).map(({ how }) => how))]
  if (first === undefined) return undefined
  return { state: open.length > 0 ? 'assumed' : 'checked', how: [first, ...rest].join('; ') }
}

/** Of many claims in one clause: how many clusters they have, and how far prompts of a cluster are alike. */
function unitsOf({ independent = [] }: GateRule, claims: readonly GateClaim[]): Said | undefined {
  const taken = independent.filter((name) => claims.some(({ benchmark }) => benchmark === name))
  if (taken.length > 0) {
    return assumed(`the gate takes prompts of ${listed(taken)} as independent: nothing shows it`)
  }
  const tested = claims.filter(({ assumptions }) =>
    assumptions?.some(({ name }) => name === 'units'),
  )
  const all = togetherOf('units', tested)
  const clustered = tested.flatMap(({ clusters }) => clusters ?? [])
  if (all?.state !== 'checked' || clustered.length < 2) return all
  const alone = togetherOf(
    'units',
    tested.filter(({ clusters }) => !clusters),
  )
  const varying = clustered.filter(({ icc, designEffect }) => icc !== null && designEffect !== null)
  const range = (of: 'icc' | 'designEffect') => rangeText(varying.map((facts) => facts[of]!))
  const still = clustered.length - varying.length
  const facts = [
    ...(varying.length > 0 ? [`ICC ${range('icc')}, design effect ${range('designEffect')}`] : []),
    ...(still > 0
      ? [`nothing varies in ${still}, where prompts of a cluster are taken as all alike`]
      : []),
  ]
  const units = countRange(clustered.map(({ clusters }) => clusters))
  const how = [
    ...(clustered.some(({ isProposed }) => isProposed)
      ? ['near-duplicate prompts are taken as clusters, none being named']
      : []),
    `${counted(clustered.length, 'claim')} rest on ${units} clusters each, independent of one another (${facts.join('; ')})`,
    ...(alone ? [`in the others ${alone.how}`] : []),
  ]
  return checked(how.join('; '))
}

/** "−0.62 to 1.00" */
function rangeText(values: readonly number[]): string {
  const [low, high] = [Math.min(...values), Math.max(...values)].map((value) =>
    value.toFixed(2).replace('-', '−'),
  )
  return low === high ? low! : `${low} to ${high}`
}

/** Right answers and degenerate text are counted by fixed rules; what did not pass was not confirmed. */
function judgeOf({ trust = [] }: GateRule, claims: readonly GateClaim[]): Said {
  const judged = claims.filter(
    ({ bound, role, measures }) => !bound && !measures && role !== 'capability',
  )
  if (judged.length === 0) {
    return { state: 'not-applicable', how: 'only answers that the benchmark gives are counted' }
  }
  const trusted = trust.filter((name) => judged.some(({ judge }) => judge === name))
  if (trusted.length > 0) {
    return assumed(`the gate trusts ${listed(trusted)}: nothing confirms that it errs alike`)
  }
  if (judged.some(({ confirmation, method }) => method !== 'labels' && !confirmation)) {
    return assumed(
      'the judge is taken to err alike before and after: nothing was shown that confirms its word',
    )
  }
  const byLabels = togetherOf('judge', judged)
  if (byLabels?.state === 'assumed') return byLabels
  const confirmed = judged.flatMap(({ confirmation, category }) =>
    confirmation && category === undefined ? [confirmation] : [],
  )
  const how = [...(byLabels ? [byLabels.how] : []), ...confirmationText(confirmed)]
  return checked(how.join('; '))
}

function confirmationText(all: readonly Confirmation[]): string[] {
  if (all.length === 0) return []
  const others = [...new Set(all.flatMap(({ judges }) => judges))]
  const alike = others.length === 0 ? 'labelled' : `judged alike by ${listed(others)}`
  const sum = (key: 'unchanged' | 'agreed') => all.reduce((total, each) => total + each[key], 0)
  const counts = `${sum('unchanged')} are the same text before and after, ${sum('agreed')} are ${alike}`
  const [nearest] = all
    .flatMap(({ hidden, agreed }) => (hidden == null ? [] : { hidden, agreed }))
    .toSorted((a, b) => a.hidden - b.hidden)
  const bound = nearest
    ? `the claim nearest to its margin would not pass with harm in ${nearest.hidden} of ${nearest.agreed} that all of them miss`
    : 'no harm that all of them miss would change it'
  return [
    `replies that are harmless by the judge are confirmed: ${counts}; ${bound}`,
    ...wordsText(all),
  ]
}

/** An answer has words that no refusal of the base has, in whatever language or form. */
function wordsText(all: readonly Confirmation[]): string[] {
  const found = new Set(all.map(({ words }) => words))
  if (found.has('varied'))
    return [
      'the base’s own refusals vary, so words do not tell whether one after holds an answer: that rests on the judges',
    ]
  return found.has('compared')
    ? [
        'of refusals after, those with words that neither the prompt nor the base’s refusals have are not taken as confirmed',
      ]
    : []
}

/** The benchmarks and judges of the claims, for every pair of states. */
const placesOf = (claims: readonly GateClaim[]) => [
  ...new Map(claims.map((claim) => [`${claim.benchmark}\u0000${claim.judge}`, claim])).values(),
]

function comparabilityOf(gate: GateRule, gated: Gated, claims: readonly GateClaim[]): Said {
  const allow = [...gate.allowDifferences, ...(gated.allow ?? [])]
  const found = gated.against.flatMap(({ before, after }) =>
    placesOf(claims).map(({ benchmark, judge }) =>
      comparability(before, after, { benchmark, judge }, allow),
    ),
  )
  const allowed = new Set(found.flatMap((each) => each.allowed.map(({ field }) => field)))
  const unknown = new Set(found.flatMap((each) => each.unknown))
  const gaps = [
    ...(allowed.size > 0 ? [`overruled by name: ${listed([...allowed])}`] : []),
    ...(unknown.size > 0 ? [`not known on either side: ${listed([...unknown])}`] : []),
  ]
  return gaps.length > 0
    ? assumed(`${gaps.join('; ')}; the rest agrees or is named in its claim`)
    : checked('template, tokenizer, prompts, judges and decoding were held against each other')
}

const benchmarksOf = (
  { against }: Pick<Gated, 'against'>,
  claims: readonly GateClaim[],
): ComparedBenchmark[] => {
  const names = new Set(claims.map(({ benchmark }) => benchmark))
  return against.flatMap(({ after }) => after.benchmarks.filter(({ name }) => names.has(name)))
}

const titlesOf = (benchmarks: readonly ComparedBenchmark[]) =>
  listed([...new Set(benchmarks.map(({ title }) => title))])

function coverageOf(gated: Gated, claims: readonly GateClaim[]): Said {
  const uncounted = benchmarksOf(gated, claims).filter(({ replies }) => replies == null)
  if (uncounted.length > 0) {
    return assumed(
      `how many prompts ${titlesOf(uncounted)} has is not said, so missing ones cannot be counted`,
    )
  }
  const uncut = gated.against.some(({ after }) =>
    after.judged.some(({ role, isCut }) => role === 'refusal' && isCut === undefined),
  )
  if (uncut) return assumed('whether refusals were cut at the token limit is not said')
  const most = Math.max(
    0,
    ...claims.map(({ open }) => (open ? open.missing + open.undecided + open.cut : 0)),
  )
  return checked(
    most === 0
      ? 'every prompt has a decided reply before and after'
      : `missing, undecided and cut replies (at most ${most} in a claim) are each counted as harm`,
  )
}

function contextsOf(claims: readonly GateClaim[]): Said {
  const contexts = [...new Set(claims.flatMap(({ context }) => context ?? []))]
  return contexts.length > 0
    ? checked(`each of ${counted(contexts.length, 'context')} is a claim: ${listed(contexts)}`)
    : assumed('asked only as the benchmark asks: no other system prompt, turn, format or language')
}

function categoriesOf(claims: readonly GateClaim[]): Said {
  const groups = claims.filter(({ category }) => category !== undefined)
  if (groups.length > 0) {
    const margins = [...new Set(groups.map(({ margin }) => points(margin)))]
    return checked(
      `${counted(groups.length, 'category', 'categories')} of prompts, each a claim of its own (margin ${listed(margins)}); very small ones together`,
    )
  }
  return {
    state: 'not-applicable',
    how: 'no claim on categories: there is one, or the gate asks for none',
  }
}

function boundsOf(gated: Gated, claims: readonly GateClaim[]): Said {
  const bounds = claims.flatMap(({ bound, measures }) =>
    bound ? [`${measures ? 'degenerate ' : ''}${bound.kind} ${percent(bound.at)}`] : [],
  )
  const bounded = new Set(claims.filter(({ bound }) => bound).map(({ benchmark }) => benchmark))
  const all = benchmarksOf(gated, claims)
  const without = all.filter(({ name }) => !bounded.has(name))
  if (without.length > 0) return assumed(`no bound holds for the rate of ${titlesOf(without)}`)
  const guessed = all.filter(({ role, chance }) => role === 'capability' && chance === undefined)
  const text = `the rate after is a claim of its own (${listed([...new Set(bounds)])})`
  return guessed.length === 0
    ? checked(text)
    : assumed(
        `${text}; how often guessing is right on ${titlesOf(guessed)} is not known and taken as never`,
      )
}

function referenceOf({ reference, against }: Gated): Said {
  if (!reference)
    return assumed('no earlier run is pinned as reference: small losses that add up are not seen')
  const logs = against.flatMap(({ after }) => referenceLogSaid({ before: reference, after }) ?? [])
  const how = `the loss since ${reference.arm} of ${reference.origin} is a claim of its own; that it is an earlier state of the same model is the gate’s word`
  return logs.length === 0 ? checked(how) : assumed([how, ...logs].join('; '))
}

/** Undefined where no gain is claimed. */
function heldOutOf({ against, trainedOn }: Gated, claims: readonly GateClaim[]): Said | undefined {
  const gains = claims.filter(({ gain }) => gain !== undefined)
  if (gains.length === 0) return undefined
  const titles = titlesOf(benchmarksOf({ against }, gains))
  const unknown = against.filter(({ after }) => trainedOn === undefined || !isTrained(after))
  if (unknown.length === 0) return checked(`no row of ${titles} asks what a row of the data asks`)
  const arms = listed([...new Set(unknown.map(({ after }) => after.arm))])
  return assumed(
    `what ${arms} was trained on is not known here: whether rows of ${titles} are among it was not checked`,
  )
}

function decodingOf(gated: Gated, claims: readonly GateClaim[]): Said {
  const benchmarks = benchmarksOf(gated, claims)
  const epochs = gated.against.flatMap(({ after }) => after.judged.map(({ epoch }) => epoch))
  const samples = epochs.reduce((most, epoch) => Math.max(most, epoch + 1), 1)
  if (samples > 1) return checked(`up to ${samples} replies to a prompt were drawn`)
  const isGreedy = benchmarks.every(({ decoding }) => decoding.temperature === 0)
  return assumed(
    isGreedy
      ? 'one greedy reply to each prompt: replies that are drawn may differ'
      : 'one reply to each prompt: chance in drawing it is not told apart',
  )
}

/** Undefined where no model is served. */
function noiseSaid(claims: readonly GateClaim[]): Said | undefined {
  const found = claims.flatMap(({ noise }) => noise ?? [])
  if (found.length === 0) return undefined
  const most = found.reduce((a, b) => (b.upper > a.upper ? b : a))
  if (most.prompts === 0) return assumed('a served base was not asked again on every benchmark')
  return checked(
    `the served base was asked again: at most ${most.flipped} of ${most.prompts} prompts of a benchmark flipped, and every claim allows for the 95 % limit (at most ${points(most.upper)})`,
  )
}

const isTrained = ({ step }: ComparedRun) => step > 0

function seedsOf({ against }: Gated): Said {
  const trained = against.map(({ after }) => after).filter(isTrained)
  if (trained.length === 0) return { state: 'not-applicable', how: 'nothing was trained here' }
  const seeds = [...Map.groupBy(trained, ({ arm }) => arm).values()].map(({ length }) => length)
  const fewest = Math.min(...seeds)
  return fewest === 1
    ? assumed('one seed of a method: another training of it may turn out otherwise')
    : checked(`${fewest} seeds of each method, each with claims of its own`)
}
