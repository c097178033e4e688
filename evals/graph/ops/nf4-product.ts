/**
 * @file x·Wᵀ for a frozen W in NF4 (`storage/nf4.ts`) as one MatMulBnb4, which reads the codes. It may not be asked for x·W: with transB = 0
 * it runs and gives wrong numbers. So gradients, dx = dY·W, multiply by W in float32; both ways have the same W.
 */
import { isForwardProduct, type Making } from '../storage/making.ts'
import { NF4, nf4Scales } from '../storage/nf4.ts'
import type { AddNode } from '../op.ts'
import type { StoredWeights } from '../storage/stored.ts'

/** Wraps the contrib emitter: forward products with weights stored as `nf4` read their codes. */
export function nf4Products(contrib: AddNode, making: Making, stored: StoredWeights): AddNode {
  return (opType, inputs, attributes = {}, outputs = 1) => {
    const [x, W] = inputs
    const own = stored.get(W!)
    if (own?.storage !== 'nf4' || !isForwardProduct(opType, attributes))
      return contrib(opType, inputs, attributes, outputs)
    const { addNode, constant } = making
    const [N, K] = own.shape as [number, number]
    const adding = { add: addNode(''), constant }
    const [size] = addNode('')('Shape', [x!], { start: 0, end: 1 })
    const [zero] = addNode('')('Sub', [size!, size!])
    const scales = nf4Scales(adding, [W!, own.shape], zero)
    const form = { K, N, block_size: NF4.block, quant_type: 1, training_mode: 0, transB: 1 }
    return addNode('com.microsoft')('MatMulBnb4', [x!, W!, scales], form)
  }
}
