/** @file Memory of training when there is no data yet. It opens no file, so `inspect` is fast. */
import { bind, type FineTuneMethod } from '../../finetune/method.ts'
import { lossPieces } from '../../finetune/training/loss-pieces.ts'
import { trainedSize } from '../../finetune/training/trained-size.ts'
import type { Model } from '../../models/registry.ts'
import { extendsInPlace } from '../../runtime/addon-for.ts'
import { peakBytes, type MicroBatch } from './memory.ts'

/** The batch assumed if there is no data: eight rows of 128 tokens, half of them labelled. */
const USUAL: MicroBatch = { rows: 8, longest: 128, labelled: 512 }

/** Peak memory of training by the method with its default settings on that batch. */
export function usualBytes(model: Model, method: FineTuneMethod): number {
  const bound = bind(method, {})
  const pieces = lossPieces(model, bound, USUAL.labelled)
  const size = { ...trainedSize(model, bound), pieces }
  const isCopied = !extendsInPlace({ name: 'cpu' })
  return peakBytes({ model, precision: 'fp32', batch: USUAL, evaluates: false, isCopied, ...size })
}
