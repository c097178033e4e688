/** @file Conversions between the memory layout of a weight in a GGUF file and in a Hugging Face folder. */
import type { JsonObject } from '../../../files/read-file.ts'
import { transposed as turned } from '../../weight-list.ts'

export interface GgufLayout {
  /** Number of rows the weight must have for reordering; any if absent. */
  readonly rows?: (config: JsonObject) => number
  /** Hugging Face's shape of a tensor `[rows, columns]` in the file. */
  readonly shape?: (stored: readonly number[]) => readonly number[]
  /** The rows of a matrix as bytes, in the order of `read` where it moves rows, of the file where it turns the matrix. */
  readonly bytes?: (rows: Uint8Array, shape: readonly number[], config: JsonObject) => Uint8Array
  /** @param shape in the file, rows first */
  read(values: Float32Array, shape: readonly number[], config: JsonObject): Float32Array
  /** From the graph's layout, `[out, in]`, to the file's. */
  write(values: Float32Array, shape: readonly number[], config: JsonObject): Float32Array
}

/** A number in `config.json` that the architecture's schema guarantees. */
export function numberIn(config: JsonObject, field: string): number {
  const value = config[field]
  if (typeof value !== 'number') throw new Error(`internal: no number at ${field}`)
  return value
}

const headDimOf = (config: JsonObject) =>
  (config['head_dim'] as number | null | undefined) ??
  numberIn(config, 'hidden_size') / numberIn(config, 'num_attention_heads')

/**
 * The file interleaves the two numbers of a rotary pair; Hugging Face stores the first of all pairs, then the second: row
 * (head, half, pair) ← (head, pair, half).
 */
export const rotaryRows = (countOf: (config: JsonObject) => number): GgufLayout =>
  movedRows(
    (config) => countOf(config) * headDimOf(config),
    (rows, config) => {
      const pairs = rows / countOf(config) / 2
      return (row) => {
        const [head, inside] = [Math.floor(row / (2 * pairs)), row % (2 * pairs)]
        return head * 2 * pairs + (inside % 2) * pairs + Math.floor(inside / 2)
      }
    },
  )

export const queryHeads = (config: JsonObject) => numberIn(config, 'num_attention_heads')
export const keyHeads = (config: JsonObject) =>
  (config['num_key_value_heads'] as number | null | undefined) ?? queryHeads(config)

/** The file stores all q, all k, all v; GPT-NeoX's folder q, k, v per head: row (head, part, i) ← (part, head, i). */
export const partsOfHeads: GgufLayout = movedRows(
  (config) => 3 * numberIn(config, 'hidden_size'),
  (rows, config) => {
    const heads = queryHeads(config)
    const each = rows / heads / 3
    return (row) => {
      const [part, inside] = [Math.floor(row / (heads * each)), row % (heads * each)]
      return (Math.floor(inside / each) * 3 + part) * each + (inside % each)
    }
  },
)

/** The file stores the norm's factor w, the folder w − 1. */
export const oneLess: GgufLayout = {
  read: (values) => values.map((value) => value - 1),
  write: (values) => values.map((value) => value + 1),
}

/** The file stores `[out, in]`, GPT-2's folder `[in, out]`. */
export const transposed: GgufLayout = {
  shape: (stored) => stored.toReversed(),
  bytes: (rows) => rows,
  read: (values, shape) => (shape.length === 2 ? turned(values, shape[0]!, shape[1]!) : values),
  write: (values) => values,
}

/** @param folderOf maps a row of the file, of `rows`, to its row in the Hugging Face folder */
function movedRows(
  rows: (config: JsonObject) => number,
  folderOf: (rows: number, config: JsonObject) => (row: number) => number,
): GgufLayout {
  const move = (isRead: boolean) => {
    return <T extends Float32Array | Uint8Array>(
      values: T,
      [count]: readonly number[],
      config: JsonObject,
    ): T => {
      const inFolder = folderOf(count!, config)
      const width = values.length / count!
      const result = new (values.constructor as new (length: number) => T)(values.length)
      for (let row = 0; row < count!; row++) {
        const [to, from] = isRead ? [inFolder(row), row] : [row, inFolder(row)]
        result.set(values.subarray(from * width, (from + 1) * width), to * width)
      }
      return result
    }
  }
  return { rows, bytes: move(true), read: move(true), write: move(false) }
}
