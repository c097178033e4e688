/**
 * @file The tasks of places: a network of Rußwurm et al. (ICLR 2024, §4) tells land from sea, or colours of a Fibonacci lattice,
 * everywhere but in one region; a fine-tune learns the region. Points are uniform on the sphere; those of one block of 5° count
 * as one site.
 */
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { isLand } from '../../bundled/places/coast.ts'
import { PLACE_ENCODER, type PlaceEncoderConfig } from '../../models/families/place-encoder.ts'
import { featuresAt } from '../../models/location/encodings.ts'
import { NUMBER_TOKENIZER } from '../../models/text/number-tokenizer.ts'
import { randomStream, type RandomStream } from '../../statistics/random.ts'
import {
  isIn,
  LEARNT,
  placeStart,
  readPlace,
  regionOf,
  squareOf,
  squares,
  type Point,
} from './place-parts.ts'
import { readCells, split } from './task-file.ts'
import type { NewModel, PreparedTask, Task, TaskRow } from './task.ts'

/** Degrees of the spherical harmonics, scales of the others, width of the network (docs/tasks/README.md). */
const SIZE = { degrees: 10, scales: 16 }
const WIDTH = 64

const COUNTS = { base: 6000, arm: 1200, gain: 300, retention: 480, shift: 480 }

const degreesOf = (radians: number) => (radians * 180) / Math.PI
const around = (stream: RandomStream) => 360 * stream.uniform() - 180

/** Uniform on the sphere: the sine of the latitude is uniform. */
const anywhere = (stream: RandomStream): Point => ({
  lon: around(stream),
  lat: degreesOf(Math.asin(2 * stream.uniform() - 1)),
})
const evenInLatitude = (stream: RandomStream): Point => ({
  lon: around(stream),
  lat: 180 * stream.uniform() - 90,
})

function drawn(
  count: number,
  stream: RandomStream,
  draw: (stream: RandomStream) => Point,
  isWanted: (point: Point) => boolean,
): Point[] {
  const points: Point[] = []
  while (points.length < count) {
    const point = draw(stream)
    if (isWanted(point)) points.push(point)
  }
  return points
}

/** Sides of a block that counts as one site, degrees. */
const SITE = 5

type LabelOf = (point: Point) => string

const rowsOf = (
  points: readonly Point[],
  labelOf: LabelOf,
  categoryOf: (point: Point) => string,
): TaskRow[] =>
  points.map((point) => ({
    text: `${point.lon.toFixed(4)} ${point.lat.toFixed(4)}`,
    label: labelOf(point),
    category: categoryOf(point),
    cluster: `${Math.floor(point.lat / SITE)},${Math.floor(point.lon / SITE)}`,
  }))

const COLUMNS = ['lon', 'lat', 'label'] as const

/** Columns lon and lat in degrees, and label, one of the classes. */
async function placesIn(path: string, classes: readonly string[]): Promise<TaskRow[]> {
  const points = (await readCells(path, COLUMNS)).map(({ row, cells: { lon, lat, label } }) => {
    const place = readPlace({ path, row, lon, lat })
    if (!classes.includes(label))
      throw new TouchstoneError('data.class', { path, row, label, known: classes })
    return { place, label }
  })
  return points.flatMap(({ place, label }) => rowsOf([place], () => label, regionOf))
}

interface Labelling {
  readonly classes: readonly string[]
  readonly labelOf: LabelOf
  readonly what: string
  readonly data: PreparedTask['data']
}

const task = ({ classes, labelOf, what, data }: Labelling): Task => ({
  async prepare({ base, seed, file }) {
    const stream = (label: string) => randomStream(seed, `places:${label}`)
    const inside = (point: Point) => isIn(LEARNT, point)
    const outside = (point: Point) => !inside(point)
    const rows = (
      name: keyof typeof COUNTS,
      where: typeof inside,
      draw = anywhere,
      by = regionOf,
    ) => rowsOf(drawn(COUNTS[name], stream(name), draw, where), labelOf, by)
    const own = file === null ? undefined : split(file, await placesIn(file, classes), seed)
    const where = own ? 'places of the file' : LEARNT.name
    return {
      model: newModel(base, classes),
      baseRows: rows('base', outside),
      armRows: own?.learnt ?? rows('arm', inside),
      measured: [
        {
          part: 'gain',
          title: `${what} in ${where}`,
          rows: own?.heldOut ?? rows('gain', inside),
        },
        { part: 'retention', title: `${what} elsewhere`, rows: rows('retention', outside) },
        {
          part: 'shift',
          title: `${what} elsewhere, even in latitude`,
          rows: rows('shift', outside, evenInLatitude, squareOf),
        },
      ],
      data,
      picture: squares('shift', 'Share of places told right, by latitude and longitude'),
    }
  },
})

function newModel(base: string, classes: readonly string[]): NewModel {
  const [encoding, network] = base.split('/') as [
    PlaceEncoderConfig['encoding'],
    PlaceEncoderConfig['network'],
  ]
  return {
    config: {
      model_type: PLACE_ENCODER,
      architectures: ['PlaceEncoderForClassification'],
      encoding,
      ...SIZE,
      network,
      hidden_size: WIDTH,
      num_hidden_layers: 2,
      id2label: Object.fromEntries(classes.entries()),
      num_labels: classes.length,
    },
    tokenizer: NUMBER_TOKENIZER,
    draw: placeStart(network, WIDTH),
  }
}

export const location = task({
  classes: ['land', 'sea'],
  labelOf: ({ lon, lat }) => (isLand(lon, lat) ? 'land' : 'sea'),
  what: 'Land or sea',
  data: {
    source: 'coastlines of Natural Earth at 1:110 million, npm package world-atlas 2.0.2',
    licence: 'public domain (Natural Earth), ISC (world-atlas)',
  },
})

const LATTICE = 100
const COLOURS = ['amber', 'blue', 'coral', 'drab'] as const

/** Points of the Fibonacci lattice as unit vectors: sin lat = (2i + 1)/N − 1, lon = 360°·i/golden ratio. */
const lattice = Array.from({ length: LATTICE }, (_, i) =>
  vectorOf({
    lon: ((360 * i) / ((1 + Math.sqrt(5)) / 2)) % 360,
    lat: degreesOf(Math.asin((2 * i + 1) / LATTICE - 1)),
  }),
)

function vectorOf(point: Point): readonly number[] {
  return featuresAt('cartesian3d', point, SIZE)
}

function nearest(point: Point): number {
  const own = vectorOf(point)
  const cosines = lattice.map((other) => other.reduce((sum, x, k) => sum + x * own[k]!, 0))
  return cosines.indexOf(Math.max(...cosines))
}

export const checkerboard = task({
  classes: COLOURS,
  labelOf: (point) => COLOURS[nearest(point) % COLOURS.length]!,
  what: 'Colour of the nearest lattice point',
  data: { source: 'computed: a Fibonacci lattice of 100 points', licence: 'none needed' },
})
