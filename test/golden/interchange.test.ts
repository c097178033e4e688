/**
 * @file Logs that the real inspect_ai 0.3.285 and lm-evaluation-harness 0.4.13 wrote are read and paired: zstd, texts in
 * attachments, conversations; documents by `doc_hash`. Made by test/peers/interchange.py and make_lm_eval.py --folders.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { ComparedRun } from '../../evals/findings/gate/compared-run.ts'
import { importRuns } from '../../evals/interchange/import.ts'
import type { HarnessAnswer } from '../doubles/models/lm-eval-compare.ts'

const fixtures = join(import.meta.dirname, 'fixtures')
const outcomes = ({ judged }: ComparedRun, judge: string) =>
  new Map(
    judged
      .filter((row) => row.judge === judge)
      .map(({ sampleId, epoch, outcome }) => [`${sampleId} ${epoch}`, outcome]),
  )

test('inspect_ai: every sample, its score, and prompts that were moved to attachments', async () => {
  const [before, after] = await Promise.all(
    ['before', 'after'].map(async (name) => {
      const path = join(fixtures, 'inspect', `${name}.eval`)
      // The method of the first entry: 93, zstd.
      expect(readFileSync(path).readUInt16LE(8)).toBe(93)
      return (await importRuns(path))[0]!
    }),
  )
  const is = outcomes(after!, 'match')
  const lost = [...outcomes(before!, 'match')].filter(
    ([key, outcome]) => outcome === 'correct' && is.get(key) === 'incorrect',
  )
  expect(lost.map(([key]) => key)).toEqual(['4 0', '5 0', '6 0', '7 0', '8 0'])
  const prompts = new Map(before!.judged.map(({ sampleId, prompt }) => [sampleId, prompt]))
  expect(prompts.get('0')).toMatch(/^Where is room 0\? x{300}$/)
  expect(prompts.get('1')).toMatch(/^Be brief\. y{300}\nWhere is room 1\? x{300}$/)
})

test('lm-evaluation-harness: acc and acc_norm of every document, paired by doc_hash', async () => {
  const said = JSON.parse(
    readFileSync(join(fixtures, 'lm-eval', 'said.json'), 'utf8'),
  ) as HarnessAnswer
  const runs = await Promise.all(
    ['before', 'after'].map(async (name) => {
      const [run] = await importRuns(join(fixtures, 'lm-eval', name))
      const { samples } = said.models[name]!['hellaswag']!
      for (const metric of ['acc', 'acc_norm'] as const) {
        const expected = samples.map((sample) => (sample[metric] === 1 ? 'correct' : 'incorrect'))
        expect([...outcomes(run!, `${metric},none`).values()], metric).toEqual(expected)
      }
      return run!
    }),
  )
  const [before, after] = runs.map((run) => [...outcomes(run, 'acc_norm,none').keys()].sort())
  expect(before).toHaveLength(10)
  expect(before).toEqual(after)
  expect(before!.every((key) => /^[0-9a-f]{64} 0$/.test(key))).toBe(true)
  expect(runs[0]!.benchmarks).toEqual(runs[1]!.benchmarks)
})
