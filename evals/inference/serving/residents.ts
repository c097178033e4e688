/** @file The adapters in the pool: read from disk when they are needed, dropped when their cells are. */
import type { LowRankChanges } from '../stack.ts'
import { store, type Kind } from './adapter-slots.ts'
import type { Pool } from './pool.ts'

export interface ServedAdapter {
  readonly name: string
  readonly kind: Kind
  /** Reads it from disk. Its numbers may lie in the room that it is given, at least as many bytes as it asks for. */
  readonly load: (room: (bytes: number) => Uint8Array) => Promise<LowRankChanges>
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
    let cells = held.get(name)
    if (!cells) {
      await reader.read(adapter, (changes) => {
        cells = placeFor(kind.cells, pool, held, needed)
        if (cells) store(pool, kind, cells, changes)
      })
    }
    if (!cells) return false
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
    take(count, needed) {
      dropFor(count, pool, held, needed)
      return pool.take(count)
    },
    bring,
    prefetch: (adapters) => reader.prefetch(adapters),
  }
}

/** Adjacent cells for an adapter where dropping as many again gives some, any cells otherwise. */
function placeFor(
  count: number,
  pool: Pool,
  held: Map<string, Int32Array>,
  needed: ReadonlySet<string>,
): Int32Array | undefined {
  dropFor(count, pool, held, needed)
  const found = pool.takeTogether(count)
  if (found) return found
  dropFor(2 * count, pool, held, needed)
  return pool.takeTogether(count) ?? pool.take(count)
}

/** Drops adapters that are not needed, the longest unused first, until so many cells are free. */
function dropFor(
  count: number,
  pool: Pool,
  held: Map<string, Int32Array>,
  needed: ReadonlySet<string>,
): void {
  for (const [name, cells] of held) {
    if (pool.free >= count) return
    if (needed.has(name)) continue
    held.delete(name)
    pool.give(cells)
  }
}

interface Rooms {
  take(bytes: number): Uint8Array
  give(room: Uint8Array): void
}

interface Reading {
  readonly changes: Promise<LowRankChanges>
  /** Gives back the room of its numbers, once it is read. */
  readonly forget: () => void
}

function beginReading({ load }: ServedAdapter, rooms: Rooms): Reading {
  const used: Uint8Array[] = []
  const changes = load((bytes) => {
    const room = rooms.take(bytes)
    used.push(room)
    return room
  })
  const giveBack = () => used.splice(0).forEach((room) => rooms.give(room))
  // The error reaches whoever needs the adapter.
  changes.catch(() => undefined)
  return { changes, forget: () => void changes.then(giveBack, giveBack) }
}

function createReader(isHeld: (name: string) => boolean) {
  const begun = new Map<string, Reading>()
  const rooms = createRooms()
  let loads = 0
  const begin = (adapter: ServedAdapter): Reading => {
    loads++
    const reading = beginReading(adapter, rooms)
    begun.set(adapter.name, reading)
    return reading
  }
  const forget = (name: string, reading: Reading) => {
    begun.delete(name)
    reading.forget()
  }
  return {
    get loads() {
      return loads
    },
    /** `use` gets the numbers, which hold until it returns. */
    async read(adapter: ServedAdapter, use: (changes: LowRankChanges) => void): Promise<void> {
      const reading = begun.get(adapter.name) ?? begin(adapter)
      try {
        use(await reading.changes)
      } finally {
        forget(adapter.name, reading)
      }
    },
    prefetch(adapters: readonly ServedAdapter[]): void {
      const wanted = new Map(adapters.map((each) => [each.name, each]))
      for (const [name, reading] of begun) if (!wanted.has(name)) forget(name, reading)
      for (const adapter of wanted.values())
        if (begun.size < PREFETCHED && !begun.has(adapter.name) && !isHeld(adapter.name))
          begin(adapter)
    },
  }
}

/** Memory that is used again: what files take anew for each read would have it collected every few adapters. */
function createRooms(): Rooms {
  const spare: Uint8Array[] = []
  return {
    take(bytes) {
      const at = spare.findIndex(({ byteLength }) => byteLength >= bytes)
      const [found] = spare.splice(at, 1)
      return at < 0 ? new Uint8Array(bytes) : found!
    },
    give: (room) => void spare.push(room),
  }
}
