/** @file The adapters in the pool: read from disk when they are needed, dropped when their cells are. */
import type { LowRankChanges } from '../stack.ts'
import { store, type Kind } from './adapter-slots.ts'
import type { Pool } from './pool.ts'

export interface ServedAdapter {
  readonly name: string
  readonly kind: Kind
  /** Reads it from disk. */
  readonly load: () => Promise<LowRankChanges>
}

export interface Residents {
  cellsOf(name: string): Int32Array
  /** Reads an adapter into the pool; adapters that are not in `needed` go where cells lack. False where they lack still. */
  bring(adapter: ServedAdapter, needed: ReadonlySet<string>): Promise<boolean>
  /** Begins to read what will be needed soon, at most so many as `PREFETCHED`. */
  prefetch(adapters: readonly ServedAdapter[]): void
  /** Cells for tokens, of adapters that are not in `needed` where none are free. */
  take(count: number, needed: ReadonlySet<string>): Int32Array | undefined
  /** How many times an adapter was read from disk. */
  readonly loads: number
}

/** Adapters that may wait outside the pool until their requests are admitted. */
const PREFETCHED = 4

export function createResidents(pool: Pool): Residents {
  /** In the order of their last use. */
  const held = new Map<string, Int32Array>()
  const reader = createReader((name) => held.has(name))

  async function bring(adapter: ServedAdapter, needed: ReadonlySet<string>) {
    const { name, kind } = adapter
    const there = held.get(name)
    const changes = there ? undefined : await reader.read(adapter)
    const cells = there ?? takeFrom(pool, held, kind.cells, needed)
    if (!cells) return false
    if (changes) store(pool, kind, cells, changes)
    held.delete(name)
    held.set(name, cells)
    return true
  }

  return {
    get loads() {
      return reader.loads
    },
    cellsOf(name) {
      const cells = held.get(name)
      if (!cells) throw new Error('internal: the adapter of a running request is not in the pool')
      return cells
    },
    take: (count, needed) => takeFrom(pool, held, count, needed),
    bring,
    prefetch: (adapters) => reader.prefetch(adapters),
  }
}

/** Drops adapters that are not needed, the longest unused first, until so many cells are free. */
function takeFrom(
  pool: Pool,
  held: Map<string, Int32Array>,
  count: number,
  needed: ReadonlySet<string>,
): Int32Array | undefined {
  for (const [name, cells] of held) {
    if (pool.free >= count) break
    if (needed.has(name)) continue
    held.delete(name)
    pool.give(cells)
  }
  return pool.take(count)
}

function createReader(isHeld: (name: string) => boolean) {
  const begun = new Map<string, Promise<LowRankChanges>>()
  let loads = 0
  const begin = ({ name, load }: ServedAdapter) => {
    loads++
    const reading = load()
    begun.set(name, reading)
    // The error reaches whoever needs the adapter.
    reading.catch(() => undefined)
    return reading
  }
  return {
    get loads() {
      return loads
    },
    async read(adapter: ServedAdapter): Promise<LowRankChanges> {
      try {
        return await (begun.get(adapter.name) ?? begin(adapter))
      } finally {
        begun.delete(adapter.name)
      }
    },
    prefetch(adapters: readonly ServedAdapter[]): void {
      const wanted = new Map(adapters.map((each) => [each.name, each]))
      for (const name of begun.keys()) if (!wanted.has(name)) begun.delete(name)
      for (const adapter of wanted.values())
        if (begun.size < PREFETCHED && !begun.has(adapter.name) && !isHeld(adapter.name))
          void begin(adapter)
    },
  }
}
