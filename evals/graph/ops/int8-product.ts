/**
 * @file x·Wᵀ multiplied in int8, for a frozen W stored as int8 with one scale t per row (`storage/stored.ts`). Approximate: every row
 * of x is rounded to 127 steps on either side of zero,
 *
 *         s = max|x| / 127,   q = round(x / s),   y = s·t·Σ q·w,   so that |x − s·q| ≤ s/2.
 *
 * The sum of integers is exact if the processor's kernel is (`runtime/int8-sums.ts`), so y does not depend on other rows, on
 * threads or on the kernel. Gradients use W = t·w in float32, so dx = dY·W.
 */
import type { AddNode, RuleGraph } from '../op.ts'
import { isForwardProduct, type Making } from '../storage/making.ts'
import { scaleName, type StoredWeights } from '../storage/stored.ts'

/** x's rows rounded to uint8, with 128 for zero, and their scales `[rows, 1]`. */
interface RoundedRows {
  readonly data: string
  readonly scale: string
}

export const LEVELS = 127
const ZERO = 128
/** Lower bound of a row's maximum, so that a row of zeros stays zero. */
const LEAST = 1e-30

/** Wraps the contrib emitter: replaces forward products with weights stored as `product:int8`. */
export function int8Products(contrib: AddNode, making: Making, stored: StoredWeights): AddNode {
  // An input of several layers is rounded once.
  const known = new Map<string, RoundedRows>()
  const rowsOf = (x: string) => {
    const rows = known.get(x) ?? roundedRows(making, x)
    known.set(x, rows)
    return rows
  }
  return (opType, inputs, attributes = {}, outputs = 1) => {
    const [x, W] = inputs
    const isOurs =
      stored.get(W!)?.storage === 'product:int8' && isForwardProduct(opType, attributes)
    if (!isOurs) return contrib(opType, inputs, attributes, outputs)
    const { addNode, constant } = making
    const add = addNode('')
    const rows = rowsOf(x!)
    const scales = scaleName(W!)
    // One zero per row of W.
    const [zeros] = add('Cast', [add('Sub', [scales, scales])[0]!], { to: { type: 'int8' } })
    const scaled = [rows.data, scalar(making, 1), zeroOf(constant), W!, scales, zeros!]
    const [y] = addNode('com.microsoft')('QGemm', scaled, { transB: 1 })
    return add('Mul', [y!, rows.scale])
  }
}

function roundedRows(making: Making, x: string): RoundedRows {
  const { addNode, constant } = making
  const add = addNode('')
  const columns = constant([1], 'int64', [1]).name
  const [largest] = add('ReduceMax', [add('Abs', [x])[0]!, columns], { keepdims: 1 })
  const [least] = add('Max', [largest!, scalar(making, LEAST)])
  const [scale] = add('Mul', [least!, scalar(making, 1 / LEVELS)])
  const [steps] = add('Div', [x, scale!])
  const [data] = add('QuantizeLinear', [steps!, scalar(making, 1), zeroOf(constant)])
  return { data: data!, scale: scale! }
}

const scalar = ({ constant }: Making, value: number) => constant([value], 'float32', []).name
const zeroOf = (constant: RuleGraph['constant']) => constant([ZERO], 'uint8', []).name
