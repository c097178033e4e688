/**
 * @file Bisection for the smallest budget at which the gate says FAIL. It rests on one assumption, that a larger budget fails
 * where a smaller one did, and tries two further budgets that could contradict it.
 */
import { randomStream } from '../../statistics/random.ts'

/** What the gate said of one budget; `held` is anything but FAIL. */
export type Found = 'failed' | 'held' | 'error'
/** By the budget's place in the ascending list. */
export type Known = ReadonlyMap<number, Found>

interface Bracket {
  /** Place of the smallest budget that failed; null where none did. */
  readonly failed: number | null
  /** Place of the largest below it that held; null where none did. */
  readonly held: number | null
}

export function bracketOf(known: Known): Bracket {
  const places = (wanted: Found) =>
    [...known].flatMap(([at, found]) => (found === wanted ? at : []))
  const failures = places('failed')
  const failed = failures.length === 0 ? null : Math.min(...failures)
  const below = places('held').filter((at) => failed === null || at < failed)
  return { failed, held: below.length === 0 ? null : Math.max(...below) }
}

/** Whether no budget held above one that failed. */
export function isMonotone(known: Known): boolean {
  const { failed } = bracketOf(known)
  return failed === null || [...known].every(([at, found]) => found !== 'held' || at < failed)
}

/** The place to try next; undefined where the line is done. The same whatever was tried in which process. */
export function nextBudget(known: Known, count: number, line: string): number | undefined {
  if ([...known.values()].includes('error')) return undefined
  if (!known.has(count - 1)) return count - 1
  const { failed, held } = bracketOf(known)
  if (failed === null) return undefined
  const below = held ?? -1
  if (failed - below > 1) return (below + failed) >> 1
  return checks(line, count, below, failed).find((at) => !known.has(at))
}

/** One budget below the bracket and one above it, drawn for this line once and for all. */
function checks(line: string, count: number, below: number, failed: number): number[] {
  const order = randomStream(0, `budget-checks ${line}`).shuffle(
    Array.from({ length: count }, (_, i) => i),
  )
  return [order.find((at) => at < below), order.find((at) => at > failed && at < count - 1)].filter(
    (at) => at !== undefined,
  )
}
