/** @file `--task`: held-out rows as a benchmark whose claim is a gain. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { prepareTask } from '../../../evals/measure/task/task.ts'
import { evaluated } from '../../doubles/runs/evaluated.ts'
import { freshFolder } from '../../doubles/runs/command-line.ts'

const ROWS = [
  { prompt: 'What colour is the sky?', response: 'Blue.' },
  { prompt: 'What colour is grass?', response: 'Green.' },
  { prompt: 'What colour is the sea?', response: 'Blue.' },
]
const file = (rows: readonly object[]) => {
  const path = join(freshFolder(), 'held-out.jsonl')
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  return path
}

test('the last reply of a row is the answer, and the row’s number its name', async () => {
  const choice = { task: file(ROWS), taskMetric: 'token-f1' as const, taskGain: 0.1 }
  const [task, ...others] = await prepareTask(choice)
  expect(others).toEqual([])
  expect(task!.benchmark).toMatchObject({
    ...{ role: 'capability', judges: ['token-f1'], gain: 0.1, title: 'Task of held-out.jsonl' },
  })
  expect(task!.samples[1]).toMatchObject({
    id: '2',
    messages: [{ role: 'user', content: 'What colour is grass?' }],
    expected: { kind: 'answer', accept: ['Green.'] },
  })
})

test('options are the answers of the file', async () => {
  const [task] = await prepareTask({ task: file(ROWS), taskMetric: 'choice' })
  expect(task!.samples.map(({ expected }) => expected)).toMatchObject([
    { kind: 'choice', options: ['Blue.', 'Green.'], correct: 0 },
    { correct: 1 },
    { correct: 0 },
  ])
  expect(task!.benchmark.gain).toBeUndefined()
})

test.each([
  ['one answer only', ROWS.slice(0, 1), 'choice', 'no options to choose from'],
  ['rows of raw text', [{ text: 'The sky is blue.' }], 'exact-match', 'no answer to expect'],
] as const)('%s is refused', async (_, rows, taskMetric, words) => {
  await expect(prepareTask({ task: file(rows), taskMetric })).rejects.toThrow(words)
})

test('a run keeps the gain that its task is held to', async () => {
  const { rows } = await evaluated({
    ...{ model: 'pebble', suite: ['house-capability'], limit: 2, task: file(ROWS), taskGain: 0.2 },
  })
  const task = rows.benchmarks.find(({ gain }) => gain != null)
  expect(task).toMatchObject({ samples: 2, gain: 0.2, judges: ['exact-match'] })
  expect(rows.verdicts.filter(({ judge }) => judge === 'exact-match')).toHaveLength(2)
})
