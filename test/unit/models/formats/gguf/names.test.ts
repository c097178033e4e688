/** @file Names of weights in GGUF and in Hugging Face's folders: there and back, and none by accident. */
import { describe, expect, test } from 'vitest'
import { ggufName, hfName } from '../../../../../evals/models/formats/gguf/names.ts'
import { GGUF_FAMILIES } from '../../../../../evals/models/registry.ts'

const tableOf = (type: string) => GGUF_FAMILIES.find(({ modelType }) => modelType === type)!
const EXPERT = 'model.layers.1.block_sparse_moe.experts.3.w2.weight'

describe.each(GGUF_FAMILIES.map((family) => [family.modelType, family] as const))(
  '%s',
  (_, { names }) => {
    test('each name of the table leads back to itself', () => {
      const stored = [
        ...Object.keys(names.outside).map((module) => `${module}.weight`),
        ...Object.keys(names.inside).map((module) => `blk.12.${module}.bias`),
      ]
      for (const name of stored) {
        const found = hfName(names, name)!
        expect(ggufName(names, found.name)).toEqual({ module: found.module, stored: name })
      }
    })

    test.each([
      '',
      'weight',
      'blk.0.attn_q',
      'blk.x.attn_q.weight',
      'constructor.weight',
      'blk.0.toString.weight',
      'blk.0.attn_q.2.weight',
    ])('no weight is named "%s"', (name) => {
      expect(hfName(names, name)).toBeUndefined()
    })
  },
)

test('experts lie in one tensor, or in older files have a name each', () => {
  const { names } = tableOf('mixtral')
  expect(hfName(names, 'blk.1.ffn_down_exps.weight')).toMatchObject({ isStacked: true })
  expect(hfName(names, 'blk.1.ffn_down.3.weight')).toMatchObject({ name: EXPERT, isStacked: false })
  expect(ggufName(names, EXPERT)).toEqual({
    module: 'ffn_down_exps',
    stored: 'blk.1.ffn_down_exps.weight',
    expert: 3,
  })
  expect(ggufName(tableOf('llama').names, EXPERT)).toBeUndefined()
})
