/** @file The memory that training takes where there is no data yet. It opens nothing, so `inspect` has it at once. */
import { METHODS } from '../finetune/registry.ts'
import { trainedSize } from '../finetune/trained-size.ts'
import type { Model } from '../models/registry.ts'
import { peakBytes, type MicroBatch } from './memory.ts'

/** A batch to speak of where there is no data: eight rows of 128 tokens, half of them labelled. */
const USUAL: MicroBatch = { rows: 8, longest: 128, labelled: 512 }

/** What training takes with a method’s own settings on a usual batch. */
export function usualBytes(model: Model, name: string): number {
  const method = METHODS.find((each) => each.name === name)!
  const size = trainedSize(model, method, method.config.parse({}))
  return peakBytes({ model, precision: 'fp32', batch: USUAL, evaluates: false, ...size })
}
