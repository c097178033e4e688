/**
 * @file A frozen weight `[out, in]` in NF4 with nested scales (`models/weights/compression/normal-float.ts`): two codes a byte, the
 * first in the high half, in blocks of 64; scale = least + step·code, of each block.
 *
 * Here W is read by looking its numbers up by byte, in a table of 256 pairs; `ops/nf4-product.ts` multiplies by the codes.
 */
import { normalCodebook } from '../../statistics/normal-codebook.ts'
import type { AddNode, RuleGraph } from '../op.ts'
import type { Value } from '../value.ts'

export const NF4 = { block: 64, scalesBlock: 256 } as const

/** Names of the parts of a weight beside its codes, uint8 `[numbers / 2]`. */
export const nf4Names = (name: string) => ({
  /** uint8 `[groups, 256]`, filled up with zeros. */
  scales: `${name}:scale`,
  /** float32 `[groups, 1]`. */
  steps: `${name}:step`,
  /** float32 `[1]`. */
  least: `${name}:least`,
})

const numbersIn = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1)
const blocksIn = (shape: readonly number[]) => numbersIn(shape) / NF4.block

/** Whether a matrix has whole blocks. */
export const fitsNf4 = (shape: readonly number[]): boolean => Number.isInteger(blocksIn(shape))

export function nf4Inputs(name: string, shape: readonly number[]): Value[] {
  const { scales, steps, least } = nf4Names(name)
  const groups = Math.ceil(blocksIn(shape) / NF4.scalesBlock)
  return [
    { name, dtype: 'uint8', shape: [numbersIn(shape) / 2] },
    { name: scales, dtype: 'uint8', shape: [groups, NF4.scalesBlock] },
    { name: steps, dtype: 'float32', shape: [groups, 1] },
    { name: least, dtype: 'float32', shape: [1] },
  ]
}

interface Adding {
  readonly add: AddNode
  readonly constant: RuleGraph['constant']
}

type Named = readonly [name: string, shape: readonly number[]]

/** Scales of the blocks, float32 `[blocks]`. @param zero int64 `[1]`, before which they are not computed */
export function nf4Scales({ add, constant }: Adding, [name, shape]: Named, zero?: string): string {
  const parts = nf4Names(name)
  const float = (x: string) => add('Cast', [x], { to: { type: 'float32' } })[0]!
  const steps = zero === undefined ? parts.steps : add('Add', [parts.steps, float(zero)])[0]!
  const above = add('Mul', [float(parts.scales), steps])[0]!
  const all = add('Reshape', [
    add('Add', [above, parts.least])[0]!,
    constant([-1], 'int64', [1]).name,
  ])
  const at = (index: number) => constant([index], 'int64', [1]).name
  return add('Slice', [all[0]!, at(0), at(blocksIn(shape))])[0]!
}

/** The weight itself, after `zero`: ONNX Runtime reshapes in place. @param zero int64 `[1]` */
export function unmoved(
  { add, constant }: Adding,
  name: string,
  shape: readonly number[],
  zero: string,
) {
  const own = constant(shape, 'int64', [shape.length]).name
  return add('Reshape', [name, add('Add', [own, zero])[0]!])[0]!
}

/** W in float32 `[out, in]`. @param zero int64 `[1]`, before which it is not computed */
export function nf4Values(adding: Adding, weight: Named, zero?: string): string {
  const { add, constant } = adding
  const [name, shape] = weight
  const long = (values: readonly number[]) => constant(values, 'int64', [values.length]).name
  const codebook = normalCodebook(4)
  const pairs = Float32Array.from({ length: 512 }, (_, i) => {
    const byte = i >> 1
    return codebook[i % 2 === 0 ? byte >> 4 : byte & 15]!
  })
  const late = zero && unmoved(adding, name, [numbersIn(shape) / 2], zero)
  const [bytes] = add('Cast', [late ?? name], { to: { type: 'int32' } })
  const [codes] = add('Gather', [constant(pairs, 'float32', [256, 2]).name, bytes!], { axis: 0 })
  const [blocks] = add('Reshape', [codes!, long([blocksIn(shape), NF4.block])])
  const [scales] = add('Reshape', [nf4Scales(adding, weight, zero), long([-1, 1])])
  const [wide] = add('Mul', [blocks!, scales!])
  return add('Reshape', [wide!, long(shape)])[0]!
}
