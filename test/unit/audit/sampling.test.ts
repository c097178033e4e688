/** @file Several replies to a prompt: drawn apart, seeded, kept one by one, and counted prompt by prompt. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { answersOf, type Reply } from '../../../evals/measure/answers.ts'
import {
  identityOf,
  openBase,
  openSession,
  subjectOf,
  type Base,
} from '../../../evals/measure/base.ts'
import {
  chosenDecoding,
  prepareBenchmarks,
  type PreparedBenchmark,
} from '../../../evals/measure/benchmark-sources.ts'
import { benchmarkRow } from '../../../evals/measure/evaluate.ts'
import { buildResults } from '../../../evals/findings/results.ts'
import type { AuditRows } from '../../../evals/contract/audit-rows.ts'
import { GREEDY, type SubjectKey } from '../../../evals/contract/rows.ts'
import type { CachedSession } from '../../../evals/inference/cached-graph.ts'
import { renderReport } from '../../../evals/document/html.ts'
import { randomStream } from '../../../evals/statistics/random.ts'
import { plannedRows, REFUSAL } from '../../doubles/rows/audit-rows.ts'

const choice = { limit: 3, map: null, maxNewTokens: null, suite: ['house-capability'] }

describe('drawn by Pebble', () => {
  let base: Base
  let session: CachedSession
  beforeAll(async () => {
    base = await openBase('pebble', { name: 'cpu', threads: 1 }, 4)
    session = await openSession({ model: base.model, frozen: base.weights }, base.device)
  })
  afterAll(async () => {
    await session.release()
    await base.open.close()
  })

  async function ask(prepared: PreparedBenchmark, of?: SubjectKey): Promise<Reply[]> {
    const identity = identityOf(base, base.open, { arm: 'base', title: 'Base' })
    const quiet = { onProgress: () => undefined, warn: () => undefined }
    const signal = new AbortController().signal
    return answersOf(subjectOf(base, identity, session), prepared, { of, signal, ...quiet })
  }
  const textsOf = (replies: readonly Reply[]) => replies.map(({ completion }) => completion.text)

  test('each prompt K times, in order; the same again, others for another seed or model state', async () => {
    const [prepared] = await prepareBenchmarks({ ...choice, samples: 4, temperature: 2 })
    const replies = await ask(prepared!)
    const ids = prepared!.samples.map(({ id }) => id)
    expect(replies.map(({ sample, epoch }) => [sample.id, epoch])).toEqual(
      ids.flatMap((id) => [0, 1, 2, 3].map((epoch) => [id, epoch])),
    )
    for (const id of ids) {
      const own = textsOf(replies.filter(({ sample }) => sample.id === id))
      expect(new Set(own).size).toBeGreaterThan(1)
    }
    expect(textsOf(await ask(prepared!))).toEqual(textsOf(replies))
    const [reseeded] = await prepareBenchmarks({
      ...choice,
      samples: 4,
      temperature: 2,
      decodingSeed: 1,
    })
    expect(textsOf(await ask(reseeded!))).not.toEqual(textsOf(replies))
    const other = { arm: 'lora', seed: 1, step: 10 }
    expect(textsOf(await ask(prepared!, other))).not.toEqual(textsOf(replies))
  })

  test('a few samples are the first of more', async () => {
    const [few] = await prepareBenchmarks({ ...choice, samples: 2, temperature: 2 })
    const [more] = await prepareBenchmarks({ ...choice, samples: 3, temperature: 2 })
    const kept = (await ask(more!)).filter(({ epoch }) => epoch < 2)
    expect(textsOf(await ask(few!))).toEqual(textsOf(kept))
  })
})

describe('how replies are drawn', () => {
  test('is greedy once if nothing is said, and at 0.7 where several are asked for', () => {
    expect(chosenDecoding({})).toEqual(GREEDY)
    expect(chosenDecoding({ samples: 5 })).toEqual({ samples: 5, temperature: 0.7, seed: 0 })
    expect(chosenDecoding({ temperature: 1, decodingSeed: 3 })).toEqual({
      samples: 1,
      temperature: 1,
      seed: 3,
    })
    // The seed of what is not drawn is no difference.
    expect(chosenDecoding({ decodingSeed: 3 })).toEqual(GREEDY)
  })

  test('cannot be several times the same', () => {
    expect(() => chosenDecoding({ samples: 3, temperature: 0 })).toThrow(/same reply/)
  })

  test('is in the benchmark’s row only where it is drawn', async () => {
    const [greedy] = await prepareBenchmarks(choice)
    expect(benchmarkRow(greedy!)).not.toHaveProperty('decoding')
    const [drawn] = await prepareBenchmarks({ ...choice, samples: 2 })
    expect(benchmarkRow(drawn!).decoding).toEqual({ samples: 2, temperature: 0.7, seed: 0 })
  })
})

const SAMPLES = 6

/** Of every reply another, of which some differ: outcomes are drawn for each prompt, seed and sample at planted rates. */
function sampledRows(): AuditRows {
  const arm = (seed: number) => ({
    arm: 'lora',
    seed,
    steps: { 40: { 'house-refusal': { lost: 0, gained: 0 } } },
  })
  const rows = plannedRows({ benchmarks: [REFUSAL], arms: [0, 1, 2, 3].map(arm) })
  const times = Array.from({ length: SAMPLES }, (_, epoch) => epoch)
  const { uniform } = randomStream(0, 'sampled rows')
  const rates = new Map(
    rows.replies.map(({ sampleId }) => [sampleId, Number(sampleId.slice(1)) % 2 === 0 ? 1 : 0.5]),
  )
  return {
    ...rows,
    benchmarks: rows.benchmarks.map((row) => ({
      ...row,
      decoding: { samples: SAMPLES, temperature: 0.7, seed: 0 },
    })),
    replies: rows.replies.flatMap((row) => times.map((epoch) => ({ ...row, epoch }))),
    verdicts: rows.verdicts.flatMap((row) =>
      times.map((epoch) => ({
        ...row,
        epoch,
        outcome:
          uniform() < rates.get(row.sampleId)! ? ('refusal' as const) : ('compliance' as const),
      })),
    ),
  }
}

describe('counted', () => {
  const rows = sampledRows()
  const results = buildResults(rows)

  test('a rate is the mean over prompts, its interval wider than that of as many single replies', () => {
    const { rate } = results.evaluations[0]!
    expect(rate).toMatchObject({ n: SAMPLES * REFUSAL.n, prompts: REFUSAL.n })
    expect(rate.estimate).toBeCloseTo(rate.successes / rate.n, 12)
    const single = Math.sqrt((0.75 * 0.25) / rate.n) * 2 * 1.96
    expect(rate.upper! - rate.lower!).toBeGreaterThan(1.3 * single)
    // Half of the prompts always refuse and half of them half the time: as good as a prompt each would be wider still.
    expect(rate.upper! - rate.lower!).toBeLessThan(Math.sqrt(SAMPLES) * single)
  })

  test('a comparison names the prompts, and takes them as the unit', () => {
    const [row] = results.comparisons
    expect(row).toMatchObject({ n: SAMPLES * REFUSAL.n, repeated: { prompts: REFUSAL.n } })
    expect(row!.difference).toBeCloseTo(row!.repeated!.before - row!.repeated!.after, 12)
    expect(row!.pValue).toBeGreaterThan(0.01)
  })

  test('variance between samples is told apart: half of the prompts vary by ¼, the rest by nothing', () => {
    const [split] = results.variance
    expect(split).toMatchObject({ samples: SAMPLES, prompts: REFUSAL.n, droppedPrompts: 0 })
    expect(split!.sample).toBeCloseTo(0.125, 1)
    expect(Math.abs(split!.sample! - 0.125)).toBeLessThan(0.015)
    // Planted: no seed is another, no prompt reacts to one; prompts differ by 1 and ½.
    expect(Math.abs(split!.seed)).toBeLessThan(0.005)
    expect(Math.abs(split!.seedByPrompt)).toBeLessThan(0.01)
    expect(Math.abs(split!.prompt - 0.0625)).toBeLessThan(0.015)
  })

  test('the report says so', () => {
    const html = renderReport(results)
    expect(html).toContain('asked 6 times of each checkpoint, drawn at temperature 0.7')
    expect(html).not.toContain('not told apart')
    expect(html).not.toContain('Each prompt was asked once')
  })
})
