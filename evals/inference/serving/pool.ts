/**
 * @file One pool of cells for the cache and the adapters (S-LoRA, section 5.2). In each layer a cell holds H = kvHeads·headDim
 * numbers in a key buffer and H in a value buffer. A token takes one cell; an adapter takes as many as its largest layer needs,
 * its A matrices in the key buffers and its B matrices in the value buffers, from cell to cell wherever they lie. Where keys and
 * values are kept in fewer bits the same bytes hold an adapter's floats, of which a cell has room for H/2 or H/4.
 */
import type { CacheLayer } from '../../models/architecture.ts'
import type { Tensor } from '../../runtime/tensor.ts'
import { ARRAYS } from '../small-cache.ts'
import { rowBytes } from '../slots.ts'
import { createCells, type Cells } from './cells.ts'

export const PARTS = ['keys', 'values'] as const
export type Part = (typeof PARTS)[number]

export interface Pool extends Cells {
  /** Of a layer, `[cells·kvHeads, headDim]`, as keys and values are kept. */
  buffer(layer: number, part: Part): Tensor
  /** Of keys or values in int8, `[cells·kvHeads, 1]`. */
  scales(layer: number, part: Part): Tensor | undefined
  /** Writes numbers of a layer into cells, from number `offset` of these cells on. */
  write(place: Place, numbers: Float32Array): void
  /** Reads as many numbers as `into` holds. */
  read(place: Place, into: Float32Array): void
}

export interface Place {
  readonly layer: number
  readonly part: Part
  readonly cells: Int32Array
  readonly offset: number
}

/** Keys or values in the place of a float. Heads have a multiple of 8 numbers. */
const IN_A_FLOAT = { float32: 1, float16: 2, int8: 4 } as const

/** Floats of a cell in one part of a layer. */
export const widthOf = ({ kvHeads, headDim, kept }: CacheLayer): number =>
  (kvHeads * headDim) / IN_A_FLOAT[kept ?? 'float32']

/** Bytes of one cell in all layers. */
export const cellBytes = (layers: readonly CacheLayer[]): number => rowBytes(layers, 1)

/** Cells for `numbers` in each layer and part: as many as the largest needs. */
export const cellsFor = (
  layers: readonly CacheLayer[],
  numbers: (layer: number, part: Part) => number,
): number =>
  Math.max(
    0,
    ...layers.flatMap((each, layer) =>
      (['keys', 'values'] as const).map((part) => Math.ceil(numbers(layer, part) / widthOf(each))),
    ),
  )

export function createPool(layers: readonly CacheLayer[], size: number): Pool {
  const cells = createCells(size)
  const buffers = layers.map((layer) => ({
    keys: partOf(layer, size),
    values: partOf(layer, size),
  }))
  return {
    size,
    get free() {
      return cells.free
    },
    take: (count) => cells.take(count),
    takeTogether: (count) => cells.takeTogether(count),
    give: (own) => cells.give(own),
    buffer: (layer, part) => buffers[layer]![part].tokens,
    scales: (layer, part) => buffers[layer]![part].scales,
    write(place, numbers) {
      const buffer = buffers[place.layer]![place.part].floats
      eachCell(place, widthOf(layers[place.layer]!), numbers.length, (at, from, to) =>
        buffer.set(numbers.subarray(from, to), at),
      )
    },
    read(place, into) {
      const buffer = buffers[place.layer]![place.part].floats
      eachCell(place, widthOf(layers[place.layer]!), into.length, (at, from, to) =>
        into.set(buffer.subarray(at, at + to - from), from),
      )
    },
  }
}

/** The same bytes as tokens' keys or values and as floats of adapters. */
function partOf(layer: CacheLayer, size: number) {
  const { kvHeads, headDim, kept } = layer
  const floats = new Float32Array(size * widthOf(layer))
  const data = kept ? new ARRAYS[kept](floats.buffer) : floats
  const heads = size * kvHeads
  return {
    floats,
    tokens: { data, dims: [heads, headDim] },
    scales: kept === 'int8' ? { data: new Float32Array(heads), dims: [heads, 1] } : undefined,
  }
}

/** Calls `copy` for each run of numbers that lies in one cell. */
function eachCell(
  { cells, offset }: Place,
  width: number,
  length: number,
  copy: (at: number, from: number, to: number) => void,
): void {
  for (let from = 0; from < length;) {
    const inside = (offset + from) % width
    const to = Math.min(length, from + width - inside)
    copy(cells[Math.floor((offset + from) / width)]! * width + inside, from, to)
    from = to
  }
}
