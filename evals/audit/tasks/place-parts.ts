/** @file What tasks of places share: regions, the start of a network's weights, places of a file. */
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import type { Place } from '../../models/location/encodings.ts'
import type { PLACE_NETWORKS } from '../../models/location/place-network.ts'
import type { TaskPart, TaskPicture } from '../../contract/tasks/task-rows.ts'
import type { NewModel } from './task.ts'

export type Point = Place<number>

interface Region {
  readonly name: string
  /** west, south, east, north */
  readonly box: readonly [number, number, number, number]
}

/** Boxes of longitude and latitude; the first that holds a place is its region. */
const REGIONS: readonly Region[] = [
  { name: 'South America', box: [-85, -57, -33, 13] },
  { name: 'North America', box: [-170, 13, -50, 75] },
  { name: 'Europe', box: [-25, 36, 45, 72] },
  { name: 'Africa', box: [-20, -36, 52, 36] },
  { name: 'Asia', box: [45, 5, 180, 78] },
  { name: 'Australia', box: [110, -48, 180, 5] },
  { name: 'Antarctica', box: [-180, -90, 180, -60] },
]
export const LEARNT = REGIONS[0]!
const ELSEWHERE = 'Elsewhere'

export const isIn = ({ box: [west, south, east, north] }: Region, { lon, lat }: Point) =>
  lon >= west && lon <= east && lat >= south && lat <= north
export const regionOf = (point: Point) =>
  REGIONS.find((region) => isIn(region, point))?.name ?? ELSEWHERE

/** Sides of a square of the map, degrees. */
const BAND = 30
const SECTOR = 90

const cell = (degrees: number, size: number, from: number, count: number) =>
  Math.min(count - 1, Math.floor((degrees + from) / size))
const bandOf = ({ lat }: Point) => cell(lat, BAND, 90, 180 / BAND)
const sectorOf = ({ lon }: Point) => cell(lon, SECTOR, 180, 360 / SECTOR)

const side = (degrees: number, positive: string, negative: string) =>
  degrees === 0 ? '0°' : `${Math.abs(degrees)}° ${degrees > 0 ? positive : negative}`
const span = (from: number, size: number, positive: string, negative: string) =>
  `${side(from, positive, negative)} to ${side(from + size, positive, negative)}`
const BANDS = Array.from({ length: 180 / BAND }, (_, i) => span(i * BAND - 90, BAND, 'N', 'S'))
const SECTORS = Array.from({ length: 360 / SECTOR }, (_, i) =>
  span(i * SECTOR - 180, SECTOR, 'E', 'W'),
)
export const squareOf = (point: Point) => `${BANDS[bandOf(point)]!}, ${SECTORS[sectorOf(point)]!}`

/** Rates of the squares of one part as a map, north above. */
export const squares = (part: TaskPart, title: string): TaskPicture => ({
  part,
  title,
  rows: BANDS.toReversed(),
  columns: SECTORS,
  cells: Object.fromEntries(
    BANDS.flatMap((band, b) =>
      SECTORS.map((sector, s) => [
        `${band}, ${sector}`,
        [BANDS.length - 1 - b, s] as [number, number],
      ]),
    ),
  ),
})

/** SIREN's start (Sitzmann et al. 2020, §3.2): W ~ U(±1/n) in the first layer, U(±√(6/n)) in the others; otherwise U(±1/√n). */
export const placeStart =
  (network: (typeof PLACE_NETWORKS)[number], width: number): NewModel['draw'] =>
  ({ name, shape, layer, head }, stream) => {
    const inputs = shape[1] ?? width
    const isSine = network === 'siren' && !head && name.startsWith('network.')
    const siren = layer === 0 ? 1 / inputs : Math.sqrt(6 / inputs)
    const reach = isSine && shape.length === 2 ? siren : 1 / Math.sqrt(inputs)
    const length = shape.reduce((product, size) => product * size, 1)
    return Float32Array.from({ length }, () => reach * (2 * stream.uniform() - 1))
  }

const isWithin = (text: string, most: number) => text !== '' && Math.abs(Number(text)) <= most

/** Degrees of a row of a file; throws for what is no place on the earth. */
export function readPlace({
  path,
  row,
  lon,
  lat,
}: {
  readonly path: string
  readonly row: number
  readonly lon: string
  readonly lat: string
}): Point {
  if (isWithin(lon, 180) && isWithin(lat, 90)) return { lon: Number(lon), lat: Number(lat) }
  throw new TouchstoneError('data.place', { path, row, found: `lon "${lon}", lat "${lat}"` })
}
