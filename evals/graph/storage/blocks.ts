/**
 * @file Frozen weights `[out, in]` in ggml's blocks, as a GGUF file holds them (`models/weights/ggml-blocks.ts`): uint8 `[out, bytes
 * of a row]`. Operators of the addon's own (native/src/ort_operators.cc) multiply by them, widening a few rows at a time.
 */
import type { AddNode } from '../op.ts'
import type { Value } from '../value.ts'
import { isForwardProduct, type Making } from './making.ts'
import type { StoredWeights } from './stored.ts'

/** ggml's number of the type, and the numbers and bytes of a block. */
export const BLOCK_FORMS = {
  Q4_0: { ggml: 2, numbers: 32, bytes: 18 },
  Q4_1: { ggml: 3, numbers: 32, bytes: 20 },
  Q5_0: { ggml: 6, numbers: 32, bytes: 22 },
  Q5_1: { ggml: 7, numbers: 32, bytes: 24 },
  Q8_0: { ggml: 8, numbers: 32, bytes: 34 },
  Q4_K: { ggml: 12, numbers: 256, bytes: 144 },
  Q5_K: { ggml: 13, numbers: 256, bytes: 176 },
  Q6_K: { ggml: 14, numbers: 256, bytes: 210 },
} as const
export type BlockName = keyof typeof BLOCK_FORMS

export const isBlockName = (name: string | undefined): name is BlockName =>
  name !== undefined && Object.hasOwn(BLOCK_FORMS, name)

/** ggml's type of a matrix in blocks, by which it is multiplied exactly or, as `product:…`, with the other factor rounded to int8. */
export function blockOf(storage: string | undefined): BlockName | undefined {
  const own = storage?.replace(/^product:/u, '')
  return isBlockName(own) ? own : undefined
}

/** Bytes of a row of so many numbers, which are whole blocks. */
export function blockRowBytes(name: BlockName, columns: number): number {
  const { numbers, bytes } = BLOCK_FORMS[name]
  if (columns % numbers !== 0)
    throw new Error(`internal: rows of ${columns} numbers are no blocks of ${numbers}`)
  return (columns / numbers) * bytes
}

export const blockInput = (name: string, storage: BlockName, [rows, columns]: Matrix): Value => ({
  name,
  dtype: 'uint8',
  shape: [rows, blockRowBytes(storage, columns)],
})

type Matrix = readonly [rows: number, columns: number]

const formOf = (storage: BlockName, [, columns]: Matrix) => ({
  type: BLOCK_FORMS[storage].ggml,
  columns,
})

interface Own {
  readonly own: AddNode
  readonly storage: BlockName
  readonly shape: readonly number[]
}

/** The rows of W numbered `rows`, int32. */
export const blockRows = (name: string, rows: string, { own, storage, shape }: Own): string =>
  own('BlockRows', [name, rows], formOf(storage, shape as Matrix))[0]!

/** W itself, made after the float32 value `after`. */
export const blockValues = (name: string, after: string, { own, storage, shape }: Own): string =>
  own('BlockValues', [name, after], formOf(storage, shape as Matrix))[0]!

/** Wraps the contrib emitter: forward products with weights in blocks read the blocks. */
export function blockProducts(contrib: AddNode, making: Making, stored: StoredWeights): AddNode {
  return (opType, inputs, attributes = {}, outputs = 1) => {
    const [x, W] = inputs
    const weight = stored.get(W!)
    const block = blockOf(weight?.storage)
    if (!weight || !block || !isForwardProduct(opType, attributes))
      return contrib(opType, inputs, attributes, outputs)
    const name = weight.storage === block ? 'BlockProduct' : 'RoundedBlockProduct'
    return making.addNode('touchstone')(name, [x!, W!], formOf(block, weight.shape as Matrix))
  }
}
