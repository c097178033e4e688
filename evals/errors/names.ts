/** @file Names that a user wrote: the entry of that name, or an error with near names. */
import { TouchstoneError } from './touchstone-error.ts'

/** The error for a `name` that is none of `known`, with near names. */
export function unknownName(kind: string, name: string, known: Iterable<string>): TouchstoneError {
  const names = [...known]
  const near = nearNames(name, names)
  return new TouchstoneError('usage.unknown-name', { kind, name, near, known: names })
}

/** The entry of a registry; throws usage.unknown-name with near names. */
export function findNamed<T extends { readonly name: string }>(
  kind: string,
  entries: readonly T[],
  name: string,
): T {
  const found = entries.find((entry) => entry.name === name)
  if (found) return found
  const known = entries.map((entry) => entry.name)
  throw unknownName(kind, name, known)
}

/** The names in `known` within edit distance 3 of `name`, nearest first, at most three. */
export function nearNames(name: string, known: Iterable<string>): string[] {
  return [...known]
    .map((candidate) => ({ candidate, distance: editDistance(name, candidate) }))
    .filter(({ distance }) => distance <= 3)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ candidate }) => candidate)
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(
        row[j]! + 1,
        next[j - 1]! + 1,
        row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1),
      )
    }
    row = next
  }
  return row[b.length]!
}
