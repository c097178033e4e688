/** @file A gate over compared pairs, and the log of what was allowed to differ. */
import type { ComparedField } from '../contract/gate.ts'
import { listed } from '../contract/words.ts'
import type { ComparedRun } from '../findings/gate/compared-run.ts'
import type { Comparison } from '../findings/gate/comparison.ts'
import { decide } from '../findings/gate/decide.ts'
import type { Gate } from '../findings/gate/gate-file.ts'
import type { Side } from './compared.ts'
import { withStore } from './databases.ts'
import { lockFolder } from './store/lock.ts'

/** Every pair of its own against the gate; one decision over all of them. */
export function gateOf(
  pairs: readonly (readonly [ComparedRun, ComparedRun])[],
  gate: Gate,
  allow: readonly ComparedField[],
): ReturnType<typeof decide> {
  const against = pairs.map(([before, after]) => ({ before, after }))
  const judges = new Map(
    pairs
      .flatMap(([{ judged }]) => judged.map(({ benchmark, judge }) => [benchmark, judge] as const))
      .reverse(),
  )
  return decide(gate, { against, steps: [], judges, allow })
}

/** An override is no private matter: the run that it was made for keeps it in its own log. */
export async function logOverride(
  before: Side,
  { stored }: Side,
  comparisons: readonly Comparison[],
): Promise<void> {
  const allowed = comparisons.flatMap(({ rows }) => rows.flatMap((row) => row.allowed))
  if (!stored || allowed.length === 0) return
  const names = listed([...new Set(allowed.map(({ field }) => field))])
  const message = `Compared with ${before.name} although they differ in ${names} (allowed by name).`
  const unlock = lockFolder(stored.folder)
  try {
    await withStore(stored.folder, (store) => {
      const { runId } = stored
      const seq = store.lastSeq(runId) + 1
      store.sink.event({ runId, seq, at: Date.now(), type: 'log', level: 'warn', message })
      store.sink.flush()
    })
  } finally {
    unlock()
  }
}
