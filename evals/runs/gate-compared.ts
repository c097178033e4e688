/** @file A gate applied to compared pairs, and the record of differences that were allowed. */
import { resolve } from 'node:path'
import type { GateRule } from '../contract/gate/rule.ts'
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
import { requireLogsApart } from './logs-apart.ts'

type Pair = readonly [ComparedRun, ComparedRun]

/** One state of one run, also where its folder was copied; names of logs may be those of others. */
const isOneState = ([one, two]: Pair): boolean =>
  one.runId === two.runId &&
  stateKey(one) === stateKey(two) &&
  (resolve(one.origin) === resolve(two.origin) || isCopied(one, two))

const isCopied = (one: ComparedRun, two: ComparedRun): boolean =>
  one.format === 'touchstone' && JSON.stringify(one.benchmarks) === JSON.stringify(two.benchmarks)

/** Asked alike in two runs: whoever allows a difference compares settings. */
const isOneModel = ([one, two]: Pair): boolean =>
  one.weights !== undefined && one.weights === two.weights

const placeOf = ({ arm, seed, origin }: ComparedRun) => ({
  state: stateInSentence({ arm, seed }),
  origin,
})

/** One decision over all pairs. Throws where a side is compared with itself: what changed nothing passes. */
export function gateOf(
  pairs: readonly Pair[],
  gate: GateRule,
  { allow, reference, under, looked }: Pick<Gated, 'allow' | 'reference' | 'under' | 'looked'>,
): ReturnType<typeof decide> {
  const [same] = pairs.filter(isOneState)
  if (same) throw new TouchstoneError('compare.one-state', placeOf(same[0]))
  if ((allow ?? []).length === 0 && pairs.every(isOneModel)) {
    const [before, after] = pairs[0]!
      .map(placeOf)
      .map(({ state, origin }) => `${state} of ${origin}`)
    throw new TouchstoneError('compare.one-model', { before: before!, after: after! })
  }
  requireLogsApart(pairs)
  if (reference) requireLogsApart(pairs.map(([, after]) => [reference, after]))
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
