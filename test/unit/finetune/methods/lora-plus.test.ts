/** @file LoRA+ (docs/methods/lora.md): which rate each tensor has, and λ = 1. */
import { expect, test } from 'vitest'
import { optimizerGroups } from '../../../../evals/finetune/training/parameters.ts'
import { openTiny, trainTiny } from '../../../doubles/training/tiny-training.ts'

test('T1: each number has one group; B learns at λ times the rate, A at the rate', async () => {
  const { session } = await openTiny({ method: 'lora-plus', methodConfig: { rateRatio: 5 } })
  const groups = optimizerGroups(session.table, true)
  let end = 0
  for (const [i, group] of groups.entries()) {
    expect(group.start).toBe(end)
    end = group.end
    const { name } = session.table.slices[i]!
    expect(group.learningRateScale, name).toBe(name.includes('lora_B') ? 5 : 1)
  }
  expect(end).toBe(session.table.size)
  await session.release()
})

test('T2: with λ = 1 it is LoRA, bit for bit', async () => {
  const plain = await trainTiny({ method: 'lora' })
  const same = await trainTiny({ method: 'lora-plus', methodConfig: { rateRatio: 1 } })
  const other = await trainTiny({ method: 'lora-plus', methodConfig: { rateRatio: 2 } })
  expect(same.digest).toBe(plain.digest)
  expect(other.digest).not.toBe(plain.digest)
})
