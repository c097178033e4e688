/** @file LoRA-FA: A keeps its bits, B learns as in LoRA. */
import { expect, test } from 'vitest'
import { namedViews } from '../../../../evals/finetune/training/parameters.ts'
import { openTiny, trainTiny } from '../../../doubles/training/tiny-training.ts'

const config = { weightDecay: 0.1 }

test('A keeps every bit through training with decay, and B does not', async () => {
  const { session, fresh, run } = await openTiny({ method: 'lora-fa', config })
  const before = fresh.parameters.slice()
  await run(fresh)
  for (const { name, start, end } of session.table.slices) {
    const moved = fresh.parameters.subarray(start, end).some((x, i) => x !== before[start + i])
    expect(moved, name).toBe(name.includes('lora_B'))
  }
  await session.release()
})

test('A is not counted as trained, and has neither gradient nor moments', async () => {
  const { session, fresh, run } = await openTiny({ method: 'lora-fa', config })
  const views = [...namedViews(session.table, fresh.parameters)]
  const trained = views.filter(([name]) => name.includes('lora_B'))
  expect(session.table.trained).toBe(trained.reduce((sum, [, { data }]) => sum + data.length, 0))
  await run(fresh)
  for (const moments of [fresh.firstMoment, fresh.secondMoment]) {
    for (const [name, { data }] of namedViews(session.table, moments)) {
      expect(
        data.some((x) => x !== 0),
        name,
      ).toBe(name.includes('lora_B'))
    }
  }
  await session.release()
})

test('its first step is LoRA’s, for there A has no gradient yet; its third is not', async () => {
  const without = { weightDecay: 0 }
  const after = async (method: string, until: number) =>
    (await trainTiny({ method, config: without }, { until })).state.parameters
  // The first step of a warm-up has rate 0, so the second is the first that moves anything.
  expect(await after('lora-fa', 2)).toEqual(await after('lora', 2))
  expect(await after('lora-fa', 3)).not.toEqual(await after('lora', 3))
})
