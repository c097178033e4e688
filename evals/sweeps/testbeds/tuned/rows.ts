/** @file Rows of the optical digits for a base, its fine-tune and its test, as micro-batches; the labels of the fine-tune are noisy. */
import type { Batch } from '../../../finetune/method.ts'
import { NUMBER_UNIT } from '../../../models/text/number-tokenizer.ts'
import { cleanRows, digitRows, PIXELS, TEST_FROM, type Rows } from '../digits/rows.ts'

/** The base's rows: the last ones before the test. */
const BASE_ROWS = 400
export const MOST_SAMPLES = TEST_FROM - BASE_ROWS

export interface Split {
  readonly base: Batch
  readonly training: Batch
  readonly test: Batch
}

/** A larger `samples` contains a smaller one; base and test have the labels that the digits have. */
export function tunedSplit(
  choice: { readonly samples: number; readonly labelNoise: number },
  seed: number,
): Split {
  const { train, test } = digitRows(choice, seed)
  const base = cleanRows(seed, MOST_SAMPLES, TEST_FROM)
  return { base: batchOf(base), training: batchOf(train), test: batchOf(test) }
}

/** All rows as one micro-batch, each of the same weight. */
function batchOf({ x, labels }: Rows): Batch {
  const count = labels.length
  return {
    tokens: Int32Array.from(x, (pixel) => Math.round(pixel * NUMBER_UNIT)),
    positions: new Int32Array(x.length),
    segments: new Int32Array(x.length),
    batch: count,
    seq: PIXELS,
    rows: Int32Array.from({ length: count }, (_, row) => row),
    labels: Int32Array.from(labels),
    weights: new Float32Array(count).fill(1 / count),
  }
}
