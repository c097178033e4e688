/** @file Full fine-tuning without embeddings leaves the tables of every family alone, and nothing else. */
import { expect, test } from 'vitest'
import { full } from '../../../../evals/finetune/methods/full.ts'
import {
  GOLDEN_ENCODERS,
  GOLDEN_FAMILIES,
  openGolden,
} from '../../../doubles/models/golden-llama.ts'

const config = full.config.parse({ trainEmbeddings: false })

test.each([...GOLDEN_FAMILIES, ...GOLDEN_ENCODERS.classes])('%s', async (name) => {
  const { model } = await openGolden(name)
  for (const { name: weight, kind, layer, head } of model.weights.values()) {
    const isTable = kind === 'embedding' || (kind === 'linear' && layer === undefined && !head)
    // BERT's pooler is no table: it belongs to the body.
    const isLeft = isTable && !weight.includes('.pooler.')
    expect(full.hooks(config).trainable!(weight) === undefined, weight).toBe(isLeft)
  }
})
