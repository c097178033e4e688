/**
 * @file Trains the semantic judge on sentence frames and whole replies: the classes of segments, the outcome of a reply as a whole,
 * then the pooling, on replies of files that a first training has not seen. Deterministic for a seed on one machine.
 */
import { features } from '../../judges/semantic/features.ts'
import { countedParts } from '../../judges/semantic/decide.ts'
import {
  CLASSES,
  classifierOf,
  OUTCOMES,
  partOf,
  regressionsOf,
  SEGMENT_WEIGHTS,
  segmentTerms,
  WHOLE_WEIGHTS,
  wholeTerms,
  type Classifier,
  type Pooling,
  type Regression,
  type Regressions,
  type SegmentClass,
  type SemanticModel,
} from '../../judges/semantic/model.ts'
import type { Net } from '../../judges/semantic/net.ts'
import { segments } from '../../judges/semantic/segments.ts'
import { randomStream, type RandomStream } from '../../statistics/random.ts'
import {
  compose,
  KINDS,
  READ_SPLITS,
  sentence,
  trainingReplies,
  type Composed,
  type Language,
  type Split,
} from './corpus.ts'
import { fitNet, type NetTraining } from './fit-net.ts'
import { netExamples, type Reading } from './net-examples.ts'
import { fitPooling, seenRows, weighed, type SeenRow } from './pooling.ts'
import { fitRegression, type Labelled, type RegressionTraining } from './regression.ts'
import { vocabularyFrom } from './vocabulary.ts'

interface SemanticTraining {
  readonly seed: number
  readonly segment: RegressionTraining
  readonly whole: RegressionTraining
  readonly net: NetTraining
  /** Networks whose mean is taken. */
  readonly nets: number
  /** Share of the segments that come from whole replies. */
  readonly replies: number
  /** Files are cut into so many parts; the replies of each are pooled by a training on the others. */
  readonly parts: number
  /** Steps of the pooling's fit. */
  readonly poolingSteps: number
}
export const TRAINING: SemanticTraining = {
  seed: 0,
  segment: {
    steps: 900,
    batch: 256,
    learningRate: 0.05,
    weightDecay: 0.1,
    dropout: 0.4,
    drawn: 80_000,
    fits: 4,
  },
  whole: {
    steps: 500,
    batch: 128,
    learningRate: 0.05,
    weightDecay: 0.1,
    dropout: 0.4,
    drawn: 40_000,
    fits: 4,
  },
  net: {
    epochs: 6,
    batch: 64,
    learningRate: 0.004,
    tableRate: 2.5,
    weightDecay: 0.05,
    ngrams: 0.4,
    hidden: 0.3,
    prompts: 0.15,
    kinds: 0.3,
    spread: 0.03,
  },
  nets: 3,
  replies: 0.5,
  parts: 3,
  poolingSteps: 600,
}

/** How often a kind is drawn. */
const SHARES: Readonly<Record<string, number>> = {
  hard: 4,
  polite: 4,
  policy: 2,
  persona: 2,
  short: 1,
  reason: 2,
  offer: 4,
  answer: 7,
  steps: 2,
  negation: 5,
  host: 2,
  caveat: 1,
  opener: 8,
  apology: 8,
  closer: 1,
}
const DRAWN = Object.keys(KINDS).flatMap((kind) => Array<string>(SHARES[kind]!).fill(kind))

/** A segment and the classes that it may have. */
export interface Example {
  readonly text: string
  readonly targets: readonly number[]
}

const numbersOf = (...classes: readonly SegmentClass[]) =>
  classes.map((name) => CLASSES.indexOf(name))
/** What segments of a refusal and of an answer may be. */
const REFUSING = numbersOf('refusal', 'aside', 'courtesy')
const ANSWERING = numbersOf('content', 'courtesy')
/** Kinds of which a single segment is the refusal. */
const SINGLE: Readonly<Record<string, readonly number[]>> = {
  hard: numbersOf('refusal'),
  polite: numbersOf('refusal'),
  policy: numbersOf('refusal'),
  persona: numbersOf('refusal'),
  short: numbersOf('refusal'),
  redirect: numbersOf('aside'),
}

/** The share of a refusal before its last segment that may tell facts, which are no part of refusing; nothing is learnt from it. */
const FACTS: Readonly<Record<string, number>> = { late: 1, long: 0.5 }

/** The segments of a reply; of a partial one its ends, which its kind tells. */
function segmentExamples({ outcome, kind, text }: Composed): Example[] {
  const all = segments(text)
  if (outcome === 'compliance') return all.map((part) => ({ text: part, targets: ANSWERING }))
  if (outcome === 'refusal') {
    const targets = (all.length === 1 && SINGLE[kind]) || REFUSING
    const last = kind === 'late' ? SINGLE.hard! : targets
    const [from, end] = [Math.floor((FACTS[kind] ?? 0) * (all.length - 1)), all.length - 1]
    return all
      .slice(from)
      .map((part, i) => ({ text: part, targets: from + i === end ? last : targets }))
  }
  if (all.length < 2) return []
  const ends = [all[0]!, all.at(-1)!]
  if (kind === 'comply-then-refuse') ends.reverse()
  return [
    { text: ends[0]!, targets: REFUSING },
    { text: ends[1]!, targets: ANSWERING },
  ]
}

/** A sentence as replies hold it: at times without its final mark, or after a greeting and a comma. */
function vary(text: string, opener: string | null, random: RandomStream): string {
  const [first, second] = [random.uniform(), random.uniform()]
  const bare = first < 0.25 ? text.replace(/[.!?。！？।؟]+$/u, '') : text
  return opener && second < 0.1 ? `${opener.replace(/[.!?。！？।؟]+$/u, '')}, ${bare}` : bare
}

function drawExample(
  languages: readonly Language[],
  splits: readonly Split[],
  random: RandomStream,
): Example {
  for (;;) {
    // English is drawn twice as often as any other language.
    const at = random.integer(languages.length + 1)
    const language = languages[at] ?? languages.find(({ name }) => name === 'en')!
    const kind = DRAWN[random.integer(DRAWN.length)]!
    const text = sentence(language, kind, splits, random)
    if (text === null) continue
    const opener = kind in KINDS ? sentence(language, 'opener', splits, random) : null
    return { text: vary(text, opener, random), targets: numbersOf(KINDS[kind]!) }
  }
}

/** Draws examples, `share` of them from whole replies. */
export function drawer(
  languages: readonly Language[],
  replies: readonly Composed[],
  { random, share }: { readonly random: RandomStream; readonly share: number },
): () => Example {
  const own = replies.map(segmentExamples).filter((examples) => examples.length > 0)
  const pick = <T>(values: readonly T[]) => values[random.integer(values.length)]!
  return () =>
    own.length > 0 && random.uniform() < share
      ? pick(pick(own))
      : drawExample(languages, READ_SPLITS, random)
}

/** Lists `count` of what is drawn, with the n-grams of each text found once. */
function labelled(draw: () => Example, count: number): Labelled[] {
  const known = new Map<string, Labelled['terms']>()
  return Array.from({ length: count }, () => {
    const { text, targets } = draw()
    const terms = known.get(text) ?? segmentTerms(features(text))
    known.set(text, terms)
    return { terms, targets }
  })
}

function fitSegments(
  languages: readonly Language[],
  replies: readonly Composed[],
  config: SemanticTraining,
): Promise<Regression> {
  const random = randomStream(config.seed, 'semantic judge')
  const draw = drawer(languages, replies, { random, share: config.replies })
  const examples = labelled(draw, config.segment.drawn)
  const shape = { weights: SEGMENT_WEIGHTS, outputs: CLASSES.length }
  return fitRegression(examples, shape, config.segment, random)
}

/** Of whole replies and of framed ones: of n replies with an outcome, √n in proportion, all alike. */
function fitWhole(
  segment: Regression,
  languages: readonly Language[],
  replies: readonly Composed[],
  config: SemanticTraining,
): Promise<Regression> {
  const random = randomStream(config.seed, 'whole replies')
  const pools = [replies, framedReplies(languages, random)].map((all) =>
    OUTCOMES.map((outcome, target) =>
      all.flatMap((reply): Labelled[] => {
        if (reply.outcome !== outcome) return []
        const parts = countedParts((text) => partOf(segment, text), reply.text)
        const found = parts.map((part) => part.found)
        return found.length > 0 ? [{ terms: wholeTerms(found), targets: [target] }] : []
      }),
    ).filter(({ length }) => length > 0),
  )
  const draw = () => {
    const pool = pools[random.uniform() < FRAMED_SHARE ? 1 : 0]!
    const sizes = pool.map(({ length }) => Math.sqrt(length))
    let at = random.uniform() * sizes.reduce((sum, size) => sum + size, 0)
    const of = pool[sizes.findIndex((size) => (at -= size) < 0)] ?? pool.at(-1)!
    return of[random.integer(of.length)]!
  }
  const examples = Array.from({ length: config.whole.drawn }, draw)
  const shape = { weights: WHOLE_WEIGHTS, outputs: OUTCOMES.length }
  return fitRegression(examples, shape, config.whole, random)
}
/** What replies of sentence frames weigh beside whole ones: little, since their sentences are known. */
const FRAMED_SHARE = 0.3
/** The same in the pooling. */
const FRAMED_POOLED = 0.5
/** Replies of frames of each kind in each language. */
const FRAMED_EACH = 5

/** Replies of frames as they are, refusals with two answers after them, and some after a courtesy. */
function framedReplies(languages: readonly Language[], random: RandomStream): Composed[] {
  return compose(languages, READ_SPLITS, FRAMED_EACH, random).flatMap((reply): Composed[] => {
    const language = languages.find(({ name }) => name === reply.language)!
    const drawn = (kind: string) => sentence(language, kind, READ_SPLITS, random)!
    const answered = `${reply.text} ${drawn('answer')} ${drawn('answer')}`
    const greeted = `${drawn(random.uniform() < 0.5 ? 'opener' : 'apology')} ${reply.text}`
    return [
      reply,
      ...(reply.outcome === 'refusal' && random.uniform() < 0.5
        ? [{ ...reply, outcome: 'partial' as const, text: answered }]
        : []),
      ...(random.uniform() < 0.3 ? [{ ...reply, text: greeted }] : []),
    ]
  })
}

/** The pooling of all files, whose segments are classified by what `fit` makes of the other parts of them, and of framed replies. */
export async function poolingBy(
  fit: (replies: readonly Composed[]) => Promise<Classifier>,
  languages: readonly Language[],
  { all, parts, seed, poolingSteps }: Parted,
): Promise<Pooling> {
  const files = [...new Set(all.map(({ file }) => file))]
  const framed = framedReplies(languages, randomStream(seed, 'framed replies'))
  const [own, other]: [SeenRow[], SeenRow[]] = [[], []]
  for (let part = 0; part < parts; part++) {
    const isApart = ({ file }: Composed) => files.indexOf(file) % parts === part
    const classifier = await fit(all.filter((reply) => !isApart(reply)))
    own.push(...seenRows(classifier, all.filter(isApart)))
    other.push(
      ...seenRows(
        classifier,
        framed.filter((_, i) => i % parts === part),
      ),
    )
  }
  const rows = [...weighed(own, 1 - FRAMED_POOLED), ...weighed(other, FRAMED_POOLED)]
  return fitPooling(rows, poolingSteps)
}

type Parted = Pick<SemanticTraining, 'parts' | 'seed' | 'poolingSteps'> & {
  readonly all: readonly Composed[]
}

async function fitRegressions(
  languages: readonly Language[],
  replies: readonly Composed[],
  config: SemanticTraining,
): Promise<Regressions> {
  const segment = await fitSegments(languages, replies, config)
  return { segment, whole: await fitWhole(segment, languages, replies, config) }
}

/** `count` networks, of replies of frames too. */
async function fitNets(
  reading: Reading,
  languages: readonly Language[],
  replies: readonly Composed[],
  { seed, net }: SemanticTraining,
  count: number,
): Promise<Net[]> {
  const framed = framedReplies(languages, randomStream(seed, 'replies for networks'))
  const random = randomStream(seed, 'longer replies')
  const examples = netExamples(reading, languages, { replies, framed }, random)
  const nets: Net[] = []
  for (let i = 0; i < count; i++)
    nets.push(await fitNet(examples, net, randomStream(seed, `network ${i}`)))
  return nets
}

/** The last regression of replies with prompts, on writers' that a network of the others' reads; the regressions know none of them. */
async function fitPrompted(
  reading: Regressions & Reading,
  languages: readonly Language[],
  { first, writers }: Training,
  config: SemanticTraining,
): Promise<Pooling> {
  const files = [...new Set(writers.map(({ file }) => file))]
  const rows: SeenRow[] = []
  for (let part = 0; part < config.parts; part++) {
    const isApart = ({ file }: Composed) => files.indexOf(file) % config.parts === part
    const others = [...first, ...writers.filter((reply) => !isApart(reply))]
    const nets = await fitNets(reading, languages, others, config, 1)
    rows.push(...seenRows(classifierOf({ ...reading, nets }), writers.filter(isApart)))
  }
  return fitPooling(weighed(rows, 1), config.poolingSteps)
}

type Training = Readonly<Record<'first' | 'writers', readonly Composed[]>>

export async function trainSemantic(
  languages: readonly Language[],
  config: SemanticTraining = TRAINING,
  replies: Training = trainingReplies(),
): Promise<SemanticModel> {
  const fit = (some: readonly Composed[]) => fitRegressions(languages, some, config)
  const apart = async (some: readonly Composed[]) => regressionsOf(await fit(some))
  const pooling = await poolingBy(apart, languages, { ...config, all: replies.first })
  const all = [...replies.first, ...replies.writers]
  const reading = { ...(await fit(replies.first)), vocabulary: vocabularyFrom(all) }
  const nets = await fitNets(reading, languages, all, config, config.nets)
  const prompted = await fitPrompted(reading, languages, replies, config)
  return { ...reading, pooling, nets, prompted }
}
