/** @file A question that is longer than the model takes loses its beginning: counted, said, and not the same question any more. */
import { expect, test } from 'vitest'
import { answersOf, type Answering, type Reply } from '../../../evals/measure/answers.ts'
import { buildResults } from '../../../evals/findings/results.ts'
import { mmlu } from '../../../evals/benchmarks/published/mmlu.ts'
import { GREEDY, type Sample } from '../../../evals/contract/rows.ts'
import { comparability } from '../../../evals/findings/gate/comparability.ts'
import { storedStates } from '../../../evals/findings/gate/stored-run.ts'
import type { Continuation } from '../../../evals/inference/continuation.ts'
import { CAPABILITY, plannedRows } from '../../doubles/rows/audit-rows.ts'

const question = (id: string, content: string): Sample => ({
  id,
  benchmark: 'mmlu',
  category: 'arithmetic',
  messages: [{ role: 'user', content }],
  expected: { kind: 'choice', options: ['A', 'B or so'], correct: 0 },
})
const short = question('short', 'two')
const long = question('long', 'one two three four five')

/** A token a word; at most `longest` of them, the option's among them. */
function subjectOf(longest: number): Answering {
  const score = ({ before, continuation }: Continuation) => {
    const beforeIds = (before as string).split(' ').map(({ length }) => length)
    const tokens = continuation.trim().split(' ').length
    const cut = Math.max(0, beforeIds.length + tokens - longest)
    return { logProbs: new Float32Array(tokens).fill(-1), beforeIds, cut }
  }
  return {
    continuations: async (items) => items.map(score),
    generate: () => {
      throw new Error('nothing is written')
    },
  }
}

async function ask(longest: number): Promise<{ replies: Reply[]; warnings: string[] }> {
  const warnings: string[] = []
  const prepared = { benchmark: mmlu, decoding: GREEDY, samples: [short, long] }
  const replies = await answersOf(subjectOf(longest), prepared, {
    signal: new AbortController().signal,
    onProgress: () => undefined,
    warn: (message) => warnings.push(message),
  })
  return { replies, warnings }
}
const digestsOf = ({ replies }: { replies: readonly Reply[] }) =>
  replies.map(({ promptDigest }) => promptDigest)

test('each reply knows how much its longest option cost, and the run warns', async () => {
  const { replies, warnings } = await ask(5)
  // Five words and "B or so" are eight tokens, three too many.
  expect(replies.map(({ cutTokens }) => cutTokens)).toEqual([0, 3])
  expect(warnings).toEqual([expect.stringContaining('1 of 2 prompts are too long')])
  expect((await ask(8)).warnings).toEqual([])
})

test('the digest is of what the model was given: cut alike it is alike, else another', async () => {
  const [few, many] = [await ask(5), await ask(8)]
  expect(digestsOf(few)[0]).toBe(digestsOf(many)[0])
  expect(digestsOf(few)[1]).not.toBe(digestsOf(many)[1])
  expect(digestsOf(await ask(5))).toEqual(digestsOf(few))
})

const rows = plannedRows({
  benchmarks: [CAPABILITY],
  arms: [{ arm: 'lora', seed: 1, steps: { 40: { 'house-capability': { lost: 1, gained: 0 } } } }],
})
const isCut = ({ sampleId }: { sampleId: string }) => ['q003', 'q009'].includes(sampleId)

test('runs that cut differently cannot be compared, and the first such prompt is named', () => {
  const replies = rows.replies.map((row) => (isCut(row) ? { ...row, promptDigest: 'cut' } : row))
  const [whole] = storedStates(rows, 'out')
  const [cut] = storedStates({ ...rows, replies }, 'out')
  const what = { benchmark: 'house-capability', judge: 'house' }
  expect(comparability(whole!, cut!, what).differences).toMatchObject([
    { field: 'prompt-text', after: 'q003: cut' },
  ])
})

test('a prompt that lost its beginning is counted, and said', () => {
  const replies = rows.replies.map((row) => ({ ...row, cutTokens: isCut(row) ? 7 : null }))
  const { limits } = buildResults({ ...rows, replies })
  expect(limits.join('\n')).toContain(
    '2 of the 200 prompts of House capability are longer than the model was given and were cut, by up to 7 tokens',
  )
  expect(buildResults(rows).limits.join('\n')).not.toContain('were cut')
})
