/** @file Every way of compressing a base; a new one is an entry here. */
import { findNamed } from '../../../errors/names.ts'
import { TouchstoneError } from '../../../errors/touchstone-error.ts'
import { budget } from './budget.ts'
import type { Allocation, Compression } from './compression.ts'
import { int8, q4_0, q8_0 } from './integers.ts'
import { normalFloat } from './normal-float.ts'
import { prune } from './prune.ts'

/** By name, or by name and a number after a colon. */
interface Entry {
  readonly name: string
  /** As help shows it. */
  readonly spelled: string
  readonly open: (number: number | undefined) => Compression | Allocation | undefined
}

const plain = (compression: Compression): Entry => ({
  name: compression.name,
  spelled: compression.name,
  open: (number) => (number === undefined ? compression : undefined),
})

const ENTRIES: readonly Entry[] = [
  plain(normalFloat(4)),
  plain(normalFloat(3)),
  plain(normalFloat(2)),
  plain(int8),
  plain(q8_0),
  plain(q4_0),
  {
    name: 'prune',
    spelled: 'prune:SHARE',
    open: (share = NaN) => (share > 0 && share < 1 ? prune(share) : undefined),
  },
  {
    name: 'budget',
    spelled: 'budget:BITS',
    open: (bits = NaN) => (bits > 0 && bits <= 32 ? budget(bits) : undefined),
  },
]

/** `nf4`, `prune:0.25`, `budget:2.75`. Throws for a name that is none, or a number that it does not take. */
export function findCompression(spec: string): Compression | Allocation {
  const [name = '', number] = spec.split(':')
  const entry = findNamed('compression', ENTRIES, name)
  const found = entry.open(number === undefined ? undefined : Number(number))
  if (!found || spec.split(':').length > 2) throw new TouchstoneError('compress.number', { spec })
  return found
}

export const COMPRESSION_NAMES = ENTRIES.map(({ spelled }) => spelled).join(', ')
