/** @file Where a row stands in `results.json`: `comparisons/12`, `gate/claims/3`. */
import type { Results } from '../contract/results.ts'

/** By the row itself, so that a section may select and sort rows as it likes. */
const PLACES = new WeakMap<object, string>()

/** Makes the rows of `results` known to `pointerOf`. */
export function placeRows(results: Results): void {
  place({ ...results, run: null, engine: null }, '')
}

function place(value: object, path: string): void {
  for (const [key, inner] of Object.entries(value) as [string, unknown][]) {
    if (typeof inner !== 'object' || inner === null) continue
    const here = path === '' ? key : `${path}/${key}`
    if (!Array.isArray(inner)) place(inner, here)
    else if (typeof inner[0] === 'object')
      inner.forEach((row, i) => row !== null && PLACES.set(row as object, `${here}/${i}`))
  }
}

/** Of a row, or of what a section wraps around it: the first row in it that has a place. */
export function pointerOf(row: unknown): string | undefined {
  if (typeof row !== 'object' || row === null) return undefined
  const own = PLACES.get(row)
  if (own !== undefined) return own
  for (const part of Object.values(row) as unknown[]) {
    const found = typeof part === 'object' && part !== null ? PLACES.get(part) : undefined
    if (found !== undefined) return found
  }
  return undefined
}

/** What stands at a pointer, with or without a leading slash; undefined where nothing does. */
export function rowAt(results: unknown, pointer: string): unknown {
  let at = results
  for (const key of pointer.replace(/^\//u, '').split('/')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined
    at = (at as Record<string, unknown>)[key]
  }
  return at
}
