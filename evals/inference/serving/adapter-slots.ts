/**
 * @file The adapters of the running requests, side by side for the stacked products (../stack.ts), copied from the pool. Adapters
 * of the same layers and ranks share one stack, so that none is padded to the rank of another.
 */
import type { Feeds, Tensor } from '../../runtime/tensor.ts'
import type { WeightSpec } from '../../models/architecture.ts'
import { arrange, nameOfA, nameOfB, turned, type LowRankChanges } from '../stack.ts'
import { cellsFor, type Part, type Place, type Pool } from './pool.ts'

/** An adapter's ranks by weight name. */
export type Ranks = ReadonlyMap<string, number>

/** One weight, `[out, in]`: its A `[in, rank]` in the key buffers of its layer, and B `[rank, out]`, with s folded in, in the value buffers. */
interface Piece {
  readonly weight: string
  readonly layer: number
  /** A product of one column would use another kernel. */
  readonly rank: number
  readonly shape: readonly [number, number]
  /** Where it begins among the layer's numbers. */
  readonly offset: Readonly<Record<Part, number>>
}

/** Adapters of the same layers and ranks. */
export interface Kind {
  readonly stack: string
  readonly pieces: readonly Piece[]
  readonly cells: number
}

export const kindKey = (ranks: Ranks): string =>
  [...ranks]
    .map(([name, rank]) => `${name}:${rank}`)
    .sort()
    .join()

export function kindOf(
  ranks: Ranks,
  specs: ReadonlyMap<string, WeightSpec>,
  stack: string,
  layers: Parameters<typeof cellsFor>[0],
): Kind {
  const used = layers.map(() => ({ keys: 0, values: 0 }))
  const pieces = [...ranks].map(([weight, given]): Piece => {
    const { shape, layer = 0 } = specs.get(weight)!
    const [out, columns] = shape as [number, number]
    const rank = Math.max(2, given)
    const offset = { ...used[layer]! }
    used[layer]!.keys += rank * columns
    used[layer]!.values += rank * out
    return { weight, layer, rank, shape: [out, columns], offset }
  })
  return { stack, pieces, cells: cellsFor(layers, (layer, part) => used[layer]![part]) }
}

const place = ({ layer, offset }: Piece, part: Part, cells: Int32Array): Place => ({
  layer,
  part,
  cells,
  offset: offset[part],
})

/** Writes an adapter into its cells. */
export function store(
  pool: Pool,
  { pieces }: Kind,
  cells: Int32Array,
  changes: LowRankChanges,
): void {
  const room = new Float32Array(Math.max(...pieces.flatMap(lengthsOf)))
  for (const piece of pieces) {
    const { rank: given, A, B, scale } = changes.get(piece.weight)!
    const { rank, shape } = piece
    const [out, columns] = shape
    // A rank that is stored wider has zeros in the rest.
    const part = (length: number) => room.subarray(0, length).fill(0)
    const a = part(columns * rank)
    turned(A, [given, columns], a, rank, 1)
    pool.write(place(piece, 'keys', cells), a)
    const b = part(rank * out)
    turned(B, [out, given], b, out, scale)
    pool.write(place(piece, 'values', cells), b)
  }
}

interface Slots {
  /** By weight, `[capacity, numbers of one]`. */
  arrays: Map<string, { a: Float32Array; b: Float32Array }>
  capacity: number
  /** Adapters side by side. */
  readonly most: number
  /** Names in slots 1, 2, …; slot 0 holds zeros, for rows of no adapter of this kind. */
  readonly names: string[]
}

export interface AdapterFeeds {
  /** Feeds for a batch whose rows use these adapters, by name; undefined for the base. */
  feeds(rows: readonly (string | undefined)[], seq: number): Feeds
}

/** Of the adapters in the pool, by name. */
export interface AdapterPlaces {
  readonly cellsOf: (name: string) => Int32Array
  readonly kindOfName: (name: string) => Kind
}

export function createAdapterSlots(
  kinds: readonly Kind[],
  pool: Pool,
  { threads, most }: { readonly threads: number; readonly most: number },
  { cellsOf, kindOfName }: AdapterPlaces,
): AdapterFeeds {
  const held = new Map<Kind, Slots>(
    kinds.map((kind) => {
      const capacity = Math.min(2, most + 1)
      return [kind, { arrays: emptyArrays(kind, capacity), capacity, most, names: [] }]
    }),
  )
  return {
    feeds(rows, seq) {
      const used = [...new Set(rows.filter((name) => name !== undefined))]
      const feeds: Record<string, Tensor> = {}
      for (const [kind, slots] of held) {
        const wanted = new Set(used.filter((name) => kindOfName(name) === kind))
        arrangeSlots(kind, slots, wanted, (slot, name) =>
          copyIn(pool, kind, slots, slot, cellsOf(name)),
        )
        const first = rows.every((name) => name !== undefined && wanted.has(name)) ? 1 : 0
        const numbers = rows.map((name) =>
          name !== undefined && wanted.has(name) ? slots.names.indexOf(name) + 1 - first : -1,
        )
        const count = wanted.size + 1 - first
        Object.assign(feeds, tensorsOf(kind, slots, first, count))
        Object.assign(feeds, arrange(numbers, count, seq, threads, kind.stack))
      }
      return feeds
    },
  }
}

function copyIn(
  pool: Pool,
  { pieces }: Kind,
  { arrays }: Slots,
  slot: number,
  cells: Int32Array,
): void {
  for (const piece of pieces) {
    const { a, b } = arrays.get(piece.weight)!
    const [lengthA, lengthB] = lengthsOf(piece)
    pool.read(place(piece, 'keys', cells), a.subarray(slot * lengthA, (slot + 1) * lengthA))
    pool.read(place(piece, 'values', cells), b.subarray(slot * lengthB, (slot + 1) * lengthB))
  }
}

/** Most bytes of the arrays of one kind, where up to `most` adapters stand side by side. */
export const slotBytes = ({ pieces }: Kind, most: number): number =>
  pieces.flatMap(lengthsOf).reduce((sum, length) => sum + length, 0) *
  (most + 1) *
  Float32Array.BYTES_PER_ELEMENT

const lengthsOf = ({ rank, shape: [out, columns] }: Piece): readonly [number, number] => [
  columns * rank,
  rank * out,
]

const emptyArrays = ({ pieces }: Kind, capacity: number): Slots['arrays'] =>
  new Map(
    pieces.map((piece) => {
      const [a, b] = lengthsOf(piece).map((length) => new Float32Array(capacity * length))
      return [piece.weight, { a: a!, b: b! }]
    }),
  )

/** Puts exactly the wanted adapters into the first slots; one that stays is copied at most once, into the slot of one that goes. */
function arrangeSlots(
  kind: Kind,
  slots: Slots,
  wanted: ReadonlySet<string>,
  fill: (slot: number, name: string) => void,
): void {
  const { names } = slots
  const missing = [...wanted].filter((name) => !names.includes(name))
  while (wanted.size + 1 > slots.capacity) grow(kind, slots)
  for (let at = 0; at < names.length;) {
    if (wanted.has(names[at]!)) {
      at++
      continue
    }
    const next = missing.shift() ?? names.pop()!
    if (at === names.length) continue
    names[at] = next
    if (wanted.has(next)) fill(at + 1, next)
  }
  for (const name of missing) fill(names.push(name), name)
}

function grow(kind: Kind, slots: Slots): void {
  slots.capacity = Math.min(2 * slots.capacity, slots.most + 1)
  const arrays = emptyArrays(kind, slots.capacity)
  for (const [weight, { a, b }] of slots.arrays) {
    arrays.get(weight)!.a.set(a)
    arrays.get(weight)!.b.set(b)
  }
  slots.arrays = arrays
}

function tensorsOf(
  { pieces, stack }: Kind,
  { arrays }: Slots,
  first: number,
  count: number,
): Feeds {
  const feeds: Record<string, Tensor> = {}
  for (const piece of pieces) {
    const { weight, rank, shape } = piece
    const [out, columns] = shape
    const [lengthA, lengthB] = lengthsOf(piece)
    const { a, b } = arrays.get(weight)!
    const part = (data: Float32Array, length: number) =>
      data.subarray(first * length, (first + count) * length)
    feeds[nameOfA(weight, stack)] = { data: part(a, lengthA), dims: [count, 1, columns, rank] }
    feeds[nameOfB(weight, stack)] = { data: part(b, lengthB), dims: [count, 1, rank, out] }
  }
  return feeds
}
