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
