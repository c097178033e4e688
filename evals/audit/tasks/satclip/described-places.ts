/** @file Places with the numbers that describe them: bundled settlements, or a user's table of embeddings. */
import { fileURLToPath } from 'node:url'
import { TouchstoneError } from '../../../errors/touchstone-error.ts'
import { randomStream } from '../../../statistics/random.ts'
import { readPlace, type Point } from '../place-parts.ts'
import { readCells, readNamed } from '../task-file.ts'

export interface DescribedPlace {
  readonly point: Point
  /** The first is what the probe predicts. */
  readonly features: readonly number[]
}

const CITIES = fileURLToPath(new URL('../../../bundled/places/cities.csv', import.meta.url))
const COLUMNS = ['lon', 'lat', 'population', 'country', 'kind', 'coast'] as const
const KINDS = ['capital', 'seat', 'place']
/** Numbers that stand for a country: ±½, drawn once from its name. */
const COUNTRY = 6

/** Distance to the coast and population on logarithmic scales, kind of place, country. */
export async function settlements(): Promise<DescribedPlace[]> {
  const rows = await readCells(CITIES, COLUMNS)
  const codes = new Map<string, readonly number[]>()
  return rows.map(({ row, cells: { lon, lat, population, country, kind, coast } }) => {
    const code = codes.get(country) ?? codeOf(country)
    codes.set(country, code)
    return {
      point: readPlace({ path: CITIES, row, lon, lat }),
      features: [
        Math.log10(1 + Number(coast)) / 3,
        Math.log10(1 + Number(population)) / 6,
        ...KINDS.map((name) => Number(name === kind)),
        ...code,
      ],
    }
  })
}

function codeOf(country: string): number[] {
  const stream = randomStream(0, `country:${country}`)
  return Array.from({ length: COUNTRY }, () => (stream.uniform() < 0.5 ? -0.5 : 0.5))
}

interface OwnPlaces {
  readonly places: readonly DescribedPlace[]
  /** Rows with a number that is none or too large, which are left out. */
  readonly leftOut: number
}

/** A larger number has no square that can be summed, so that no deviation is known. */
const LARGEST = 1e100
const isUsable = (value: number) => Math.abs(value) <= LARGEST

/** Columns lon, lat and e0, e1, …; each e is set to mean 0 and deviation 1. */
export async function ownPlaces(path: string): Promise<OwnPlaces> {
  const { columns } = await readNamed(path)
  const names = columns.filter((column) => /^e\d+$/u.test(column))
  if (names.length === 0)
    throw new TouchstoneError('task.columns', { path, missing: ['e0'], columns })
  const rows = await readCells(path, ['lon', 'lat', ...names])
  const all = rows.map(({ row, cells }) => ({
    point: readPlace({ path, row, lon: cells['lon']!, lat: cells['lat']! }),
    features: names.map((name) => (cells[name] === '' ? NaN : Number(cells[name]))),
  }))
  const whole = all.filter(({ features }) => features.every(isUsable))
  return { places: standardised(whole, names.length), leftOut: all.length - whole.length }
}

function standardised(places: readonly DescribedPlace[], width: number): DescribedPlace[] {
  const column = (j: number) => places.map(({ features }) => features[j]!)
  const scales = Array.from({ length: width }, (_, j) => {
    const values = column(j)
    const mean = values.reduce((sum, x) => sum + x, 0) / values.length
    const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length
    return { mean, deviation: Math.sqrt(variance) || 1 }
  })
  return places.map(({ point, features }) => ({
    point,
    features: features.map((x, j) => (x - scales[j]!.mean) / scales[j]!.deviation),
  }))
}
