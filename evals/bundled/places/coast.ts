/**
 * @file Land and sea: the coastlines of Natural Earth at 1:110 million (public domain), as the package `world-atlas` ships them
 * (TopoJSON, ISC licence).
 */
import atlas from 'world-atlas/land-110m.json' with { type: 'json' }

/** Whole units of longitude in the file, so that ends meet exactly where the earth closes. */
const UNIT = atlas.transform.scale[0]!
const TURN = Math.round(360 / UNIT)
/** (−TURN/2, TURN/2]. */
const wrapped = (units: number) => TURN / 2 - ((((TURN / 2 - units) % TURN) + TURN) % TURN)

interface Edge {
  /** Begin, east of the antimeridian in units, and its latitude in degrees. */
  readonly x: number
  readonly lat: number
  /** Signed way to the end: the shorter way around the earth, in units, and degrees of latitude. */
  readonly east: number
  readonly north: number
}

/** Edges by the strips of longitude that they touch. */
let known: readonly (readonly Edge[])[] | undefined
const STRIPS = 360
const stripOf = (x: number) => Math.floor((((x % TURN) + TURN) % TURN) / (TURN / STRIPS))

/** TopoJSON stores each arc once, as differences of whole numbers (TopoJSON 1.0, §2.1.4). */
function edges(): readonly (readonly Edge[])[] {
  if (known) return known
  const strips: Edge[][] = Array.from({ length: STRIPS }, () => [])
  const [, perUnit] = atlas.transform.scale
  for (const [first, ...rest] of atlas.arcs) {
    let [x, y] = first as [number, number]
    for (const [dx, dy] of rest) {
      const lat = y * perUnit! + atlas.transform.translate[1]!
      lay(strips, { x, lat, east: wrapped(dx!), north: dy! * perUnit! })
      x += dx!
      y += dy!
    }
  }
  return (known = strips)
}

function lay(strips: readonly Edge[][], edge: Edge): void {
  const west = Math.min(edge.x, edge.x + edge.east)
  const [first, last] = [stripOf(west), stripOf(west + Math.abs(edge.east))]
  const count = (last - first + STRIPS) % STRIPS
  for (let i = 0; i <= count; i++) strips[(first + i) % STRIPS]!.push(edge)
}

/**
 * Whether a place in degrees lies on land. The North Pole is sea, so a place is land where its meridian crosses coasts an odd
 * number of times on the way there.
 */
export function isLand(lon: number, lat: number): boolean {
  const x = (lon + 180) / UNIT
  let isOdd = false
  for (const { x: begin, lat: from, east, north } of edges()[stripOf(x)]!) {
    const offset = wrapped(x - begin)
    // Half-open, so that a corner counts once.
    const isPassed = east > 0 ? offset >= 0 && offset < east : offset < 0 && offset >= east
    if (isPassed && from + (north * offset) / east > lat) isOdd = !isOdd
  }
  return isOdd
}

type Vector = readonly [number, number, number]
const EARTH_RADIUS = 6371.0088

function vectorOf(lon: number, lat: number): Vector {
  const [λ, φ] = [(lon * Math.PI) / 180, (lat * Math.PI) / 180]
  return [Math.cos(φ) * Math.cos(λ), Math.cos(φ) * Math.sin(λ), Math.sin(φ)]
}

const dot = (a: Vector, b: Vector) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2]

/** Kilometres from a place in degrees to the nearest coast, along chords of the coast's short edges. */
export function coastDistance(lon: number, lat: number): number {
  const place = vectorOf(lon, lat)
  let nearest = -1
  for (const { x, lat: from, east, north } of new Set(edges().flat())) {
    const start = vectorOf(x * UNIT - 180, from)
    const end = vectorOf((x + east) * UNIT - 180, from + north)
    const way: Vector = [end[0] - start[0], end[1] - start[1], end[2] - start[2]]
    const length = dot(way, way)
    const along = length === 0 ? 0 : (dot(place, way) - dot(start, way)) / length
    const t = Math.min(1, Math.max(0, along))
    const point: Vector = [start[0] + t * way[0], start[1] + t * way[1], start[2] + t * way[2]]
    nearest = Math.max(nearest, dot(point, place) / Math.sqrt(dot(point, point)))
  }
  return EARTH_RADIUS * Math.acos(Math.min(1, nearest))
}
