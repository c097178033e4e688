/** @file What answers at an address, and what it can be asked. */
import type { ServedFacts } from '../contract/subjects/served.ts'
import type { ServedConfig } from '../measure/served/config.ts'
import { NO_JOURNAL } from '../measure/served/journal.ts'
import { openServed } from '../measure/served/open.ts'

export async function inspectServed(
  address: string,
  asking: Pick<ServedConfig, 'sendPrompts' | 'keyEnv' | 'replyTimeout'>,
  signal: AbortSignal,
): Promise<ServedFacts> {
  const own = { arm: 'served', title: address }
  const { facts, fleet } = await openServed(address, asking, { own, journal: NO_JOURNAL, signal })
  fleet.close()
  return facts
}
