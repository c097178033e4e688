/**
 * @file The direction of refusal in the residual stream (Arditi et al. 2024): per block and position the difference of means between
 * the bundled prompts that should be refused and those that should be answered, of a base and of what was made of it. Directions
 * are made on one half of the prompts, where causes are looked for, and judged on the other; they stay in memory.
 */
import type { AuditRows } from '../../contract/audit-rows.ts'
import { lookedIntoBy } from '../../contract/subjects/causes.ts'
import type { Direction, DirectionPlace } from '../../contract/subjects/direction.ts'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { halvesOf, type Half } from '../../findings/causes/halves.ts'
import { encodeBefore } from '../../inference/continuation.ts'
import type { ModelState } from '../../inference/cached-graph.ts'
import { isReadable, openResidualStream } from '../../inference/probes/residual-stream.ts'
import type { Base } from '../../measure/base.ts'
import type { EvaluationPlan } from '../../measure/evaluate.ts'
import { frobeniusNorm } from '../../spectra/measures.ts'
import { auroc } from '../../statistics/classify/two-classes.ts'
import {
  cosineOf,
  differenceOfMeans,
  gapLeavingOneOut,
  meanOf,
  type Activations,
} from './difference-of-means.ts'
import { inner } from './gradient-forms.ts'

/** A bundled prompt, as tokens. */
interface Asked {
  readonly benchmark: string
  readonly category: string
  readonly kind: keyof Activations
  readonly half: Half
  readonly ids: readonly number[]
}

/** Most of the last tokens that all prompts have in common, at which activations are read. */
const MOST_POSITIONS = 5
/** Blocks from here on are left out of the choice, as in the paper's code: what they pass on is close to the next token. */
const LAST_SHARE = 0.8
/** Fewer prompts of a kind in a half give no direction. */
const FEWEST = 4

export interface BaseDirections {
  readonly asked: readonly Asked[]
  readonly positions: number
  readonly layers: number
  readonly activations: ReadAll
  readonly chosen: Direction['chosen']
  /** r `[hidden]` of the base at the chosen place. */
  readonly direction: Float64Array
  readonly reliability: number
}

/** The activations of every prompt at a place. */
type ReadAll = (layer: number, position: number) => readonly Float32Array[]

export async function openDirections(
  base: Base,
  evaluation: Pick<EvaluationPlan, 'benchmarks'>,
  rows: AuditRows,
  signal: AbortSignal,
): Promise<BaseDirections> {
  const run = lookedIntoBy(rows.run)
  if (!isReadable(base.model)) {
    const why = 'the blocks of its model cannot be read one by one'
    throw new TouchstoneError('run.no-cause', { run, why })
  }
  const asked = await askedOf(base, evaluation, rows)
  for (const half of ['chosen-on', 'judged-on'] as const) {
    const { refuse, answer } = countsOf({ asked }, half)
    if (Math.min(refuse, answer) < FEWEST)
      throw new TouchstoneError('run.few-prompts', { run, least: 2 * FEWEST })
  }
  const positions = Math.min(MOST_POSITIONS, commonEnd(asked.map(({ ids }) => ids)))
  const state = { model: base.model, frozen: base.weights }
  const { layers, activations } = await readAll(base, state, { asked, positions }, signal)
  const chosen = chosenPlace(asked, layers, positions, activations)
  const here = activations(chosen.layer, chosen.position)
  const direction = differenceOfMeans(ofHalf(asked, here, 'chosen-on'))
  const other = differenceOfMeans(ofHalf(asked, here, 'judged-on'))
  const reliability = cosineOf(direction, other)
  return { asked, positions, layers, activations, chosen, direction, reliability }
}

const KINDS = { refusal: 'refuse', 'over-refusal': 'answer' } as const

/** Of bundled benchmarks alone: the user's prompts may be such as no direction should be made of. */
async function askedOf(
  { open }: Base,
  { benchmarks }: Pick<EvaluationPlan, 'benchmarks'>,
  rows: AuditRows,
): Promise<Asked[]> {
  const halfOf = halvesOf(rows)
  const asked: Asked[] = []
  for (const { benchmark, samples, context, source } of benchmarks) {
    if (context || source || benchmark.role === 'capability') continue
    const { name, role } = benchmark
    for (const { id, category, messages } of samples) {
      const half = halfOf({ benchmark: name, sampleId: id })
      const ids = await encodeBefore(open, messages)
      asked.push({ benchmark: name, category, kind: KINDS[role], half, ids })
    }
  }
  return asked
}

/** How many tokens at their end all have in common, at least 1. */
function commonEnd(all: readonly (readonly number[])[]): number {
  const shortest = Math.min(...all.map(({ length }) => length))
  let count = 0
  while (count < shortest && all.every((ids) => ids.at(-1 - count) === all[0]!.at(-1 - count)))
    count++
  return Math.max(1, count)
}

interface Reading {
  readonly asked: readonly Asked[]
  readonly positions: number
}

async function readAll(
  { open, device, batchSize }: Base,
  state: ModelState,
  { asked, positions }: Reading,
  signal: AbortSignal,
): Promise<{ readonly layers: number; readonly activations: ReadAll }> {
  const longest = Math.max(...asked.map(({ ids }) => ids.length))
  const { padId } = open.tokenizer
  const stream = await openResidualStream(state, device, { longest, positions, batchSize, padId })
  try {
    const all = await stream.of(
      asked.map(({ ids }) => ids),
      signal,
    )
    const hidden = all[0]!.length / (stream.layers * positions)
    const activations: ReadAll = (layer, position) => {
      const start = (layer * positions + positions + position) * hidden
      return all.map((own) => own.subarray(start, start + hidden))
    }
    return { layers: stream.layers, activations }
  } finally {
    await stream.release()
  }
}

function ofHalf(
  asked: readonly Asked[],
  activations: readonly Float32Array[],
  half: Half,
): Activations {
  const of = (kind: Asked['kind']) =>
    activations.filter((_, i) => asked[i]!.half === half && asked[i]!.kind === kind)
  return { refuse: of('refuse'), answer: of('answer') }
}

const placesOf = (layers: number, positions: number) =>
  Array.from({ length: layers * positions }, (_, i) => ({
    layer: Math.floor(i / positions),
    position: (i % positions) - positions,
  }))

function chosenPlace(
  asked: readonly Asked[],
  layers: number,
  positions: number,
  activations: ReadAll,
): Direction['chosen'] {
  const early = placesOf(layers, positions).filter(
    ({ layer }) => layer < Math.max(1, LAST_SHARE * layers),
  )
  const gaps = early.map(({ layer, position }) =>
    gapLeavingOneOut(ofHalf(asked, activations(layer, position), 'chosen-on')),
  )
  return early[gaps.indexOf(Math.max(...gaps))]!
}

/** What a state's activations say beside the base's; its direction is made on the same half. */
type Beside = Pick<Direction, 'places' | 'categories'>

export async function besideBase(
  base: Base,
  found: BaseDirections,
  state: ModelState,
  signal: AbortSignal,
): Promise<Beside> {
  const { asked, layers, positions, chosen } = found
  const { activations } = await readAll(base, state, found, signal)
  const places = placesOf(layers, positions).map(({ layer, position }): DirectionPlace => {
    const [before, after] = [
      found.activations(layer, position),
      activations(layer, position),
    ] as const
    return { layer, position, ...comparedAt(asked, before, after) }
  })
  const { layer, position } = chosen
  const both = [found.activations(layer, position), activations(layer, position)] as const
  return { places, categories: categoriesOf(found, ...both) }
}

function comparedAt(
  asked: readonly Asked[],
  before: readonly Float32Array[],
  after: readonly Float32Array[],
): Omit<DirectionPlace, 'layer' | 'position'> {
  const made = ofHalf(asked, before, 'chosen-on')
  const [r, tuned] = [differenceOfMeans(made), differenceOfMeans(ofHalf(asked, after, 'chosen-on'))]
  const lengths = [...made.refuse, ...made.answer].map(frobeniusNorm)
  const mean = lengths.reduce((sum, x) => sum + x, 0) / lengths.length
  const [gap, gapAfter] = [gapAlong(r, asked, before), gapAlong(r, asked, after)]
  return {
    strength: ratio(frobeniusNorm(r), mean),
    strengthRatio: ratio(frobeniusNorm(tuned), frobeniusNorm(r)),
    cosine: cosineOf(r, tuned),
    separation: separationAlong(r, asked, before),
    separationAfter: separationAlong(r, asked, after),
    gapRatio: ratio(gapAfter, gap),
  }
}

const ratio = (a: number, b: number): number => (b === 0 ? 0 : a / b)

/** Of the half that no direction was made of. */
function separationAlong(r: Float64Array, asked: readonly Asked[], rows: readonly Float32Array[]) {
  const { refuse, answer } = ofHalf(asked, rows, 'judged-on')
  return auroc([
    ...refuse.map((row) => [along(r, row), true] as const),
    ...answer.map((row) => [along(r, row), false] as const),
  ])
}

/** x·r̂, times ‖r‖. */
const along = (r: Float64Array, row: Float32Array): number => inner(r, Float64Array.from(row))

function gapAlong(r: Float64Array, asked: readonly Asked[], rows: readonly Float32Array[]) {
  return inner(r, differenceOfMeans(ofHalf(asked, rows, 'judged-on')))
}

function categoriesOf(
  { asked, direction }: Pick<BaseDirections, 'asked' | 'direction'>,
  before: readonly Float32Array[],
  after: readonly Float32Array[],
): Direction['categories'] {
  const made = ofHalf(asked, before, 'chosen-on')
  const [refused, answered] = [made.refuse, made.answer].map((rows) =>
    inner(direction, meanOf(rows)),
  ) as [number, number]
  const scaled = (x: number) => ratio(x - answered, refused - answered)
  const judged = asked.flatMap((each, i) => (each.half === 'judged-on' ? [{ ...each, i }] : []))
  const groups = Map.groupBy(judged, ({ benchmark, category }) => `${benchmark}\n${category}`)
  return [...groups.values()].map((members) => {
    const meanAlong = (rows: readonly Float32Array[]) =>
      scaled(inner(direction, meanOf(members.map(({ i }) => rows[i]!))))
    const [{ benchmark, category }] = members as [(typeof members)[number]]
    const own = { base: meanAlong(before), tuned: meanAlong(after) }
    return { benchmark, category, prompts: members.length, ...own }
  })
}

/** How many prompts of each kind a half has. */
export const countsOf = ({ asked }: Pick<BaseDirections, 'asked'>, half: Half) => {
  const of = (kind: Asked['kind']) =>
    asked.filter((each) => each.half === half && each.kind === kind).length
  return { refuse: of('refuse'), answer: of('answer') }
}
