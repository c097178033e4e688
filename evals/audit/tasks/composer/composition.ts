/** @file Both concepts on one canvas, as numbers: presence in a concept's own box, leakage into the other's, by way of composing. */
import type { PictureGrid } from '../../../contract/document/charts.ts'
import type { NetworkState } from '../../../inference/subject.ts'
import type { Ask } from '../../../measure/ask.ts'
import { PATCH } from '../../../models/diffusion/patch-network.ts'
import { shades } from '../diffusion/pictures.ts'
import { randomStream } from '../../../statistics/random.ts'
import { meanOf } from '../../../statistics/summary.ts'
import type { OpenNetwork, TaskMeasure, TaskNumber } from '../task.ts'
import { CANVAS_SIDE, CONCEPTS, CORNERS, cornerOf, twoCorners, type Digits } from './canvases.ts'
import { composedNetwork, type ComposedNetwork } from './composed-network.ts'
import {
  composedCanvases,
  injectedCanvases,
  mergedCanvases,
  type Composing,
  type Wish,
} from './composing.ts'

type Weights = NetworkState['weights']

interface Composition {
  readonly digits: Digits
  readonly base: Weights
  /** Of the second concept. */
  readonly companion: Weights
  readonly seed: number
  readonly isSmall: boolean
  /** At most so many canvases. */
  readonly most: number
}

const USUAL = { canvases: 24, steps: 20, guidedSteps: 10 }
const SMALL = { canvases: 2, steps: 3, guidedSteps: 2 }
const SHOWN = 8

/** Ways of composing, in the order of a row's numbers. */
const WAYS = ['composed', 'injected', 'merged'] as const
type Way = (typeof WAYS)[number]
const TITLES: Readonly<Record<Way, string>> = {
  composed: 'LoRA-Composer',
  injected: 'injection without losses',
  merged: 'plain merging',
}
const OTHERS = ['injected', 'merged'] as const
/** What a row tells of each way and concept. */
const FACTS = ['present', 'anywhere', 'leaked'] as const
type Fact = (typeof FACTS)[number]

const columnOf = (way: Way, fact: Fact, concept: number) =>
  (WAYS.indexOf(way) * FACTS.length + FACTS.indexOf(fact)) * CONCEPTS.length + concept

export function compositionMeasure(composition: Composition): TaskMeasure {
  const { canvases, ...steps } = composition.isSmall ? SMALL : USUAL
  const wishes = wishesFor(composition.seed, Math.min(canvases, composition.most))
  const composing = { ...steps, seed: composition.seed }
  /** Of each state that was asked. */
  const known = new WeakMap<Ask, Promise<Drawings>>()
  const drawnBy = (ask: Ask, network: OpenNetwork) => {
    const drawings = known.get(ask) ?? drawingsOf(network, composition, wishes, composing)
    known.set(ask, drawings)
    return drawings
  }
  return {
    name: 'composition',
    numbers: NUMBERS,
    async rows(ask, network) {
      const drawings = await drawnBy(ask, network)
      return wishes.map((wish, i) => ({
        unit: `canvas ${i + 1}`,
        numbers: WAYS.flatMap((way) => factsOf(drawings[way][i]!, wish, composition.digits)),
      }))
    },
    async pictures(ask, network) {
      const drawings = await drawnBy(ask, network)
      return WAYS.map((way) => grid(way, drawings[way], wishes, composition.digits))
    },
  }
}

function wishesFor(seed: number, count: number): Wish[] {
  const stream = randomStream(seed, 'canvas:wishes')
  return Array.from({ length: count }, (_, number) => ({ number, corners: twoCorners(stream) }))
}

type Drawings = Readonly<Record<Way, readonly Float64Array[]>>

async function drawingsOf(
  network: OpenNetwork,
  { base, companion }: Composition,
  wishes: readonly Wish[],
  composing: Composing,
): Promise<Drawings> {
  const state = await network()
  const regions = [base, state.weights, companion]
  const withRegions = await whileOpen(composedNetwork(state, regions), async (composed) => ({
    composed: await composedCanvases(composed, wishes, composing),
    injected: await injectedCanvases(composed, wishes, composing),
  }))
  const merged = await whileOpen(
    composedNetwork(state, [summed(base, state.weights, companion)]),
    (one) => mergedCanvases(one, wishes, composing),
  )
  return { ...withRegions, merged }
}

async function whileOpen<T>(
  network: ComposedNetwork,
  use: (network: ComposedNetwork) => Promise<T>,
): Promise<T> {
  try {
    return await use(network)
  } finally {
    await network.release()
  }
}

/** θ + (θ_A − θ) + (θ_B − θ), weight by weight. */
const summed = (base: Weights, first: Weights, second: Weights): Weights =>
  new Map(
    [...base].map(([name, own]) => {
      const [a, b] = [first.get(name)!, second.get(name)!]
      return [name, own.map((value, i) => a[i]! + b[i]! - value)]
    }),
  )

/** 0 or 1 for each fact and concept. */
function factsOf(canvas: Float64Array, { corners }: Wish, digits: Digits): number[] {
  const read = CORNERS.map((_, corner) => digits.read(cornerOf(canvas, corner)))
  const told: Readonly<Record<Fact, (concept: number) => boolean>> = {
    present: (concept) => read[corners[concept]!] === CONCEPTS[concept]!.title,
    anywhere: (concept) => read.includes(CONCEPTS[concept]!.title),
    leaked: (concept) => read[corners[1 - concept]!] === CONCEPTS[concept]!.title,
  }
  return FACTS.flatMap((fact) => CONCEPTS.map((_, concept) => Number(told[fact](concept))))
}

const share = (way: Way, fact: Fact, concept: number) => (rows: readonly (readonly number[])[]) =>
  rows.length === 0 ? null : meanOf(rows.map((row) => row[columnOf(way, fact, concept)]!))

function numbersOf(concept: number): TaskNumber[] {
  const number = (
    [name, better]: readonly [string, 'higher' | 'lower'],
    said: string,
    of: TaskNumber['of'],
  ) => ({
    name: `composer-${concept + 1}-${name}`,
    title: `${CONCEPTS[concept]!.title}, ${said}`,
    unit: '',
    better,
    of,
  })
  const own = (fact: Fact) => share('composed', fact, concept)
  const less = (fact: Fact, way: Way): TaskNumber['of'] => {
    const [composed, other] = [own(fact), share(way, fact, concept)]
    return (rows) => (rows.length === 0 ? null : composed(rows)! - other(rows)!)
  }
  const compared = (
    fact: Fact,
    [name, better]: readonly [string, 'higher' | 'lower'],
    where: string,
  ) => [
    number([name, better], where, own(fact)),
    ...OTHERS.map((way) =>
      number([`${name}-${way}`, better], `${where}, less that by ${TITLES[way]}`, less(fact, way)),
    ),
  ]
  const anywhere = `anywhere, less that by ${TITLES.merged}`
  return [
    ...compared('present', ['presence', 'higher'], 'in its own box'),
    number(['anywhere-merged', 'higher'], anywhere, less('anywhere', 'merged')),
    ...compared('leaked', ['leakage', 'lower'], 'in the other box'),
  ]
}

const NUMBERS = CONCEPTS.flatMap((_, concept) => numbersOf(concept))

function grid(
  way: Way,
  canvases: readonly Float64Array[],
  wishes: readonly Wish[],
  digits: Digits,
): PictureGrid {
  const pictures = canvases.slice(0, SHOWN).map((canvas, i) => {
    const { corners } = wishes[i]!
    const read = corners.map((corner) => digits.read(cornerOf(canvas, corner)))
    const boxes = corners.map((corner, concept) => ({
      box: pixelsOf(corner),
      label: CONCEPTS[concept]!.title,
    }))
    return { facts: read, ...shades(canvas, CANVAS_SIDE), boxes }
  })
  const heads = CONCEPTS.map(({ title }) => `Read in the box of ${title}`)
  return { type: 'picture-grid', title: `Canvases by ${TITLES[way]}`, heads, pictures }
}

const pixelsOf = (corner: number) =>
  CORNERS[corner]!.map((at) => PATCH * at) as [number, number, number, number]
