/** @file Seeded choices by digest: equal on every machine and independent of the order in which prompts are put. */
import { sha256 } from '../../files/digest.ts'

/** A number in [0, 1) named by its parts. */
export const drawNumber = (...parts: readonly (string | number)[]): number =>
  Number.parseInt(sha256(parts.join('\u0000')).slice(0, 12), 16) / 2 ** 48

/** `count` of the items in a seeded order, or all where there are fewer. */
export const drawn = <T>(seed: number, items: readonly T[], count: number): T[] =>
  items
    .map((item, i) => ({ item, place: drawNumber(seed, i) }))
    .sort((a, b) => a.place - b.place)
    .slice(0, count)
    .map(({ item }) => item)
