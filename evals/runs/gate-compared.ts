/** @file A gate applied to compared pairs, and the record of differences that were allowed. */
import { resolve } from 'node:path'
import type { GateRule } from '../contract/gate.ts'
import { stateKey } from '../contract/keys.ts'
import { stateInSentence } from '../contract/words.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import type { ComparedRun } from '../findings/gate/compared-run.ts'
import type { Comparison } from '../findings/gate/comparison.ts'
import type { Gated } from '../findings/gate/claim-input.ts'
import { decide } from '../findings/gate/decide.ts'
import { appendToRun } from './append-to-run.ts'
import type { Side } from './compared.ts'
import { withStore } from './databases.ts'

type Pair = readonly [ComparedRun, ComparedRun]

/** One state of one run, also where its folder was copied; names of logs may be those of others. */
const isOneState = ([one, two]: Pair): boolean =>
  one.runId === two.runId &&
  stateKey(one) === stateKey(two) &&
  (resolve(one.origin) === resolve(two.origin) || isCopied(one, two))

const isCopied = (one: ComparedRun, two: ComparedRun): boolean =>
  one.format === 'touchstone' && JSON.stringify(one.benchmarks) === JSON.stringify(two.benchmarks)

/** One decision over all pairs. Throws where a side is compared with itself: what changed nothing passes. */
export function gateOf(
  pairs: readonly Pair[],
  gate: GateRule,
  { allow, reference, under, looked }: Pick<Gated, 'allow' | 'reference' | 'under' | 'looked'>,
): ReturnType<typeof decide> {
  const [same] = pairs.filter(isOneState)
  if (same) {
    const [{ arm, seed, origin }] = same
    throw new TouchstoneError('compare.one-state', {
      state: stateInSentence({ arm, seed }),
      origin,
    })
  }
  const against = pairs.map(([before, after]) => ({ before, after }))
  const judges = new Map(
    pairs
      .flatMap(([{ judged }]) => judged.map(({ benchmark, judge }) => [benchmark, judge] as const))
      .reverse(),
  )
  return decide(gate, { against, steps: [], judges, allow, reference, under, looked })
}

/** Records in the second run's log which differences its comparison was allowed. */
export async function recordOverride(
  before: Side,
  { stored }: Side,
  comparisons: readonly Comparison[],
): Promise<void> {
  const allowed = comparisons.flatMap(({ rows }) => rows.flatMap((row) => row.allowed))
  if (!stored || allowed.length === 0) return
  const fields = [...new Set(allowed.map(({ field }) => field))]
  await withStore(stored.folder, (store) =>
    appendToRun({ ...stored, store }, { type: 'override', fields, against: before.name }),
  )
}
