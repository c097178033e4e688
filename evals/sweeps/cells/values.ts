/** @file Syntax of grids: `1,4,16`; `1..256` (the first number, doubled up to the last); seeds `0..4` (every integer). */
import { usageError } from '../../errors/touchstone-error.ts'

/** More is taken for a typing error. */
const MOST_VALUES = 1000

export interface AxisValues {
  readonly name: string
  readonly values: readonly number[]
}

/** `rank=1,4,16,64` or `rank=1..256`. Returns distinct values, ascending. */
export function parseAxis(text: string, flag = '--axis'): AxisValues {
  const at = text.indexOf('=')
  const name = text.slice(0, at).trim()
  const parts = text.slice(at + 1).split(',')
  const values = at > 0 ? parts.flatMap((part) => expand(part.trim(), doubling)) : []
  if (name === '' || values.length === 0 || !values.every(Number.isFinite)) {
    throw usageError(
      `${flag} cannot be "${text}".`,
      `Write ${flag} NAME=VALUE,VALUE,… or ${flag} NAME=1..256 for powers of two.`,
    )
  }
  return { name, values: ascending(values) }
}

/** `0..4`, `0,1,2` or a mixture. */
export function parseSeeds(items: readonly string[]): number[] {
  const seeds = items.flatMap((item) => expand(item.trim(), counting))
  if (seeds.length === 0 || !seeds.every((seed) => Number.isSafeInteger(seed) && seed >= 0)) {
    throw usageError(
      `--seeds cannot be "${items.join(',')}".`,
      'Write whole numbers from 0, such as --seeds 0,1,2 or --seeds 0..4.',
    )
  }
  return ascending(seeds)
}

const ascending = (values: readonly number[]) => [...new Set(values)].sort((a, b) => a - b)

type Steps = (from: number, to: number) => number[]

function expand(item: string, steps: Steps): number[] {
  const [from = '', to, ...rest] = item.split('..')
  const numbers = [from, ...(to === undefined ? [] : [to])].map((text) =>
    text.trim() === '' ? NaN : Number(text),
  )
  if (rest.length > 0 || !numbers.every(Number.isFinite)) return [NaN]
  return to === undefined ? numbers : steps(numbers[0]!, numbers[1]!)
}

/** from, 2·from, 4·from, … up to `to`. */
function doubling(from: number, to: number): number[] {
  const values: number[] = []
  for (let value = from; from > 0 && value <= to && values.length < MOST_VALUES; value *= 2) {
    values.push(value)
  }
  return values.length === 0 ? [NaN] : values
}

function counting(from: number, to: number): number[] {
  const isRange = Number.isSafeInteger(from) && to >= from && to - from < MOST_VALUES
  return isRange ? Array.from({ length: Math.floor(to - from) + 1 }, (_, i) => from + i) : [NaN]
}
