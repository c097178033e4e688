/**
 * @file One pool of cells for the cache and the adapters (S-LoRA, section 5.2). In each layer a cell holds H = kvHeads·headDim
 * numbers in a key buffer and H in a value buffer. A token takes one cell; an adapter takes as many as its largest layer needs,
 * its A matrices in the key buffers and its B matrices in the value buffers, from cell to cell wherever they lie.
 */
import type { CacheLayer } from '../../models/architecture.ts'
import type { Tensor } from '../../runtime/tensor.ts'
import { createCells, type Cells } from './cells.ts'

export type Part = 'keys' | 'values'

export interface Pool extends Cells {
  /** Of a layer, `[cells·kvHeads, headDim]`. */
  buffer(layer: number, part: Part): Tensor
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

/** Numbers of a cell in one part of a layer. */
export const widthOf = ({ kvHeads, headDim }: CacheLayer): number => kvHeads * headDim

/** Bytes of one cell in all layers. */
export const cellBytes = (layers: readonly CacheLayer[]): number =>
  layers.reduce((sum, layer) => sum + 2 * widthOf(layer), 0) * Float32Array.BYTES_PER_ELEMENT

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
  const buffers = layers.map((layer) => {
    const part = () => new Float32Array(size * widthOf(layer))
    return { keys: part(), values: part() }
  })
  return {
    size,
    get free() {
      return cells.free
    },
    take: (count) => cells.take(count),
    takeTogether: (count) => cells.takeTogether(count),
    give: (own) => cells.give(own),
    buffer: (layer, part) => ({
      data: buffers[layer]![part],
      dims: [size * layers[layer]!.kvHeads, layers[layer]!.headDim],
    }),
    write(place, numbers) {
      const buffer = buffers[place.layer]![place.part]
      eachCell(place, widthOf(layers[place.layer]!), numbers.length, (at, from, to) =>
        buffer.set(numbers.subarray(from, to), at),
      )
    },
    read(place, into) {
      const buffer = buffers[place.layer]![place.part]
      eachCell(place, widthOf(layers[place.layer]!), into.length, (at, from, to) =>
        into.set(buffer.subarray(at, at + to - from), from),
      )
    },
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
