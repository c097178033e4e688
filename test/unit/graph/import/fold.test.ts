/** @file ConstantOfShape is folded with its value in the storage type that the file names. */
import { expect, test } from 'vitest'
import { fold } from '../../../../evals/graph/import/fold.ts'
import type { NodeContext } from '../../../../evals/graph/import/item.ts'
import { known } from '../../../../evals/graph/import/known.ts'
import type { Dtype } from '../../../../evals/graph/value.ts'

/** `[2]` numbers filled with one that is stored as `data`. */
function filled(dtype: Dtype, data: ArrayBufferView) {
  const bytes = new Uint8Array(data.buffer)
  const tensor = { name: '', dtype, dims: [1], place: { kind: 'inside', data: bytes, offset: 0 } }
  const node = { opType: 'ConstantOfShape', attributes: new Map([['value', tensor]]) }
  const inputs = [known('int64', [1], [2])]
  return fold({ node, inputs } as unknown as NodeContext)
}

test.each([
  ['float32', Float32Array.of(-0.5), -0.5],
  ['float64', Float64Array.of(2.5), 2.5],
  ['int64', BigInt64Array.of(-7n), -7],
  ['int32', Int32Array.of(300), 300],
  ['bool', Uint8Array.of(1), 1],
] as const)('%s', (dtype, data, value) => {
  expect(filled(dtype, data)).toEqual([known(dtype, [2], [value, value])])
})

test('a storage type whose numbers are not read here is not folded', () => {
  // 1.0 in float16.
  expect(filled('float16', Uint16Array.of(0x3c00))).toBeUndefined()
})
