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
  /** Cells for tokens, of adapters that are not in `needed` where none are free. */
  take(count: number, needed: ReadonlySet<string>): Int32Array | undefined
  /** How many times an adapter was read from disk. */
  readonly loads: number
}

export function createResidents(pool: Pool): Residents {
  /** In the order of their last use. */
  const held = new Map<string, Int32Array>()
  let loads = 0

  function take(count: number, needed: ReadonlySet<string>): Int32Array | undefined {
    for (const [name, cells] of held) {
      if (pool.free >= count) break
      if (needed.has(name)) continue
      held.delete(name)
      pool.give(cells)
    }
    return pool.take(count)
  }

  async function bring({ name, kind, load }: ServedAdapter, needed: ReadonlySet<string>) {
    const there = held.get(name)
    if (!there) loads++
    const changes = there ? undefined : await load()
    const cells = there ?? take(kind.cells, needed)
    if (!cells) return false
    if (changes) store(pool, kind, cells, changes)
    held.delete(name)
    held.set(name, cells)
    return true
  }

  return {
    get loads() {
      return loads
    },
    cellsOf(name) {
      const cells = held.get(name)
      if (!cells) throw new Error('internal: the adapter of a running request is not in the pool')
      return cells
    },
    take,
    bring,
  }
}
