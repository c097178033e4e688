/** @file What is said of memory before a run holds while it runs, and grows with what it is made of. */
import { expect, test } from 'vitest'
import { peakBytes, type MemoryNeed } from '../../../evals/audit/memory.ts'
import { findMethod } from '../../../evals/finetune/registry.ts'
import { trainedNumbers } from '../../../evals/finetune/trained-size.ts'
import { peakOf, touchstone } from '../../bench/peak.ts'
import { freshFolder } from '../../doubles/command-line.ts'
import { tinyModel } from '../../doubles/tiny-model.ts'
import { openTiny } from '../../doubles/tiny-training.ts'

test('the peak of a training of Pebble is within −10 % and +25 % of what was said', async () => {
  const argv = ['train', '--model', 'pebble', '--data', 'house-benign', '--methods', 'lora']
  const options = ['--steps', '2', '--out-dir', freshFolder()]
  const said = await peakOf(touchstone(...argv, ...options, '--dry-run', '--json'))
  const { bytes } = JSON.parse(said.text) as { bytes: number }
  const run = await peakOf(touchstone(...argv, ...options))
  expect(run.exit).toBe(0)
  expect(bytes / run.bytes).toBeGreaterThan(0.9)
  expect(bytes / run.bytes).toBeLessThan(1.25)
})

test.each(['lora', 'dora', 'full', 'lora-fa'])(
  '%s trains as many numbers as are counted without a weight',
  async (method) => {
    const { session } = await openTiny({ method })
    const found = findMethod(method)
    expect(trainedNumbers(tinyModel().model, found, found.config.parse({}))).toBe(
      session.table.trained,
    )
    await session.release()
  },
)

test('smaller weights, fewer tokens and fewer trained numbers are less memory', () => {
  const need: MemoryNeed = {
    model: tinyModel().model,
    ...{ precision: 'fp32', trained: 1000, evaluates: true },
    batch: { rows: 4, longest: 100, labelled: 50 },
  }
  const said = peakBytes(need)
  for (const less of [
    { precision: 'int8' as const },
    { trained: 900 },
    { evaluates: false },
    { checkpointing: true },
    { batch: { ...need.batch, longest: 50 } },
    { batch: { ...need.batch, labelled: 40 } },
  ])
    expect(peakBytes({ ...need, ...less }), JSON.stringify(less)).toBeLessThan(said)
})
