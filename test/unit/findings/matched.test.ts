/** @file Arms at the same training loss: the step found by hand, and through an audit of Pebble, gone on with after a cut. */
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { AuditConfig } from '../../../evals/audit/config.ts'
import { auditJob } from '../../../evals/audit/audit-job.ts'
import { matchedSteps } from '../../../evals/findings/matched.ts'
import { buildResults } from '../../../evals/findings/results.ts'
import type { FinishedEvaluation } from '../../../evals/contract/audit-rows.ts'
import type { JobEventBody } from '../../../evals/contract/events.ts'
import type { Results } from '../../../evals/contract/results.ts'
import type { MetricRow } from '../../../evals/contract/rows.ts'
import { renderReport } from '../../../evals/document/html.ts'
import { smoothed } from '../../../evals/statistics/smoothed.ts'
import { openStore } from '../../../evals/runs/store/store.ts'
import { plannedAudit } from '../../doubles/rows/audit-rows.ts'
import { alone } from '../../doubles/runs/evaluated.ts'
import { freshFolder } from '../../doubles/runs/command-line.ts'

const curve = (arm: string, seed: number, values: readonly number[]): MetricRow[] =>
  values.map((value, i) => ({ arm, seed, step: i + 1, name: 'train/loss', value }))

describe('the matched steps', () => {
  test('the arm that ends highest stands at its end, the other where it comes down to that', () => {
    const slow = curve('lora', 0, [5, 4, 3, 3, 3])
    const fast = curve('full', 0, [5, 1, 1, 1, 1])
    const [found] = matchedSteps([...fast, ...slow], ['lora', 'full'])
    const [s, f] = [smoothed([5, 4, 3, 3, 3]), smoothed([5, 1, 1, 1, 1])]
    expect(found!.target).toBe(s[4])
    expect(found!.arms.map(({ arm, step }) => [arm, step])).toEqual([
      ['lora', 5],
      ['full', 2],
    ])
    expect(f[0]).toBeGreaterThan(s[4]!)
    expect(found!.arms[1]).toMatchObject({ steps: 5, loss: f[1], lastLoss: f[4] })
  })

  test('each seed by itself; one arm alone has nothing to be matched with', () => {
    const rows = [
      ...curve('lora', 1, [3, 2]),
      ...curve('full', 1, [3, 1]),
      ...curve('lora', 0, [3, 2]),
    ]
    expect(matchedSteps(rows, ['lora', 'full']).map(({ seed }) => seed)).toEqual([1])
    expect(matchedSteps(rows, ['lora'])).toEqual([])
    expect(matchedSteps([], ['lora', 'full'])).toEqual([])
  })

  test('other metrics and the order of rows change nothing', () => {
    const rows = [...curve('lora', 0, [5, 4, 3]), ...curve('full', 0, [5, 1, 1])]
    const norm = rows.map((row) => ({ ...row, name: 'train/gradient-norm', value: 9 }))
    const order = ['lora', 'full']
    expect(matchedSteps([...norm, ...rows.toReversed()], order)).toEqual(matchedSteps(rows, order))
  })
})

const CONFIG = {
  model: 'pebble',
  data: 'house-tamper',
  limit: 4,
  threads: 1,
  cache: false,
  evalEvery: 100,
  // Chance is the matter of spectra's own tests, and 19 draws a matrix take most of the time.
  nullDraws: 1,
  methods: [
    { name: 'lora', config: {} },
    { name: 'full', config: { learningRateScale: 0.5 } },
  ],
  training: { steps: 8, batchSize: 4, learningRate: 1e-3, warmupSteps: 1 },
}

async function audited(config: object, before: readonly JobEventBody[] = []) {
  const folder = freshFolder()
  const store = openStore(join(folder, 'touchstone.db'))
  const events: JobEventBody[] = []
  const evaluations: FinishedEvaluation[] = []
  const emit = (body: JobEventBody) => {
    events.push(body)
    const seq = events.length
    store.sink.event({ runId: 'run-1', seq, at: seq, ...body })
  }
  const parsed = AuditConfig.parse({ ...CONFIG, ...config })
  const { engine } = plannedAudit().run
  const start = { type: 'job-start', kind: 'audit', title: 't', command: 'c', engine } as const
  if (before.length === 0) emit({ ...start, config: parsed })
  for (const event of before) {
    emit(event)
    if (event.type === 'evaluation-end')
      evaluations.push({ ...event.subject, benchmark: event.benchmark, samples: event.samples })
  }
  const { seal, flush } = store.sink
  const { signal } = new AbortController()
  const context = { emit, seal, flush, signal, workspace: join(folder, 'run-1') }
  await auditJob.run(
    parsed,
    context,
    alone(evaluations, () => store.rows('run-1')),
  )
  const results = buildResults(store.rows('run-1'))
  store.close()
  return { events, results, left: globSync('**/*.safetensors', { cwd: folder }) }
}

const timeless = (results: Results) => ({ ...results, run: undefined })

describe('an audit of two methods', () => {
  let run: Awaited<ReturnType<typeof audited>>
  beforeAll(async () => {
    run = await audited({})
  })

  test('each arm is measured at its matched step, and pairs say how they differ there', () => {
    const [seed] = run.results.matched
    const fast = seed!.arms.find(({ step, steps }) => step < steps)!
    expect(fast.loss).toBeLessThanOrEqual(seed!.target)
    const { benchmarks, evaluations, spectrumTotals, metrics } = run.results
    for (const { arm, step } of seed!.arms) {
      const isHere = (row: { arm: string; step: number }) => row.arm === arm && row.step === step
      const names = new Set(evaluations.filter(isHere).map(({ benchmark }) => benchmark))
      expect(names.size).toBe(benchmarks.length)
      expect(spectrumTotals.filter(isHere)).toHaveLength(1)
      expect(metrics.filter(isHere).some(({ name }) => name === 'neutral/loss')).toBe(true)
    }
    expect(seed!.pairs.every(({ reference, arm }) => reference === 'lora' && arm === 'full')).toBe(
      true,
    )
    expect(seed!.pairs.length).toBeGreaterThanOrEqual(benchmarks.length)
  })

  test('what is said of the arms, their ends and their weights is what it is without', async () => {
    const plain = await audited({ matchLoss: false })
    expect(plain.results.matched).toEqual([])
    expect(plain.results.subjects).toEqual(run.results.subjects)
    expect(plain.results.verdict).toEqual(run.results.verdict)
    expect(plain.results.seeds).toEqual(run.results.seeds)
    // Tampering data: no weights stay, those of the matched step neither.
    expect(run.left).toEqual([])
  })

  test('cut off while the matched states are measured, it ends in the same results', async () => {
    const at = run.events.findLastIndex(({ type }) => type === 'checkpoint') + 30
    const again = await audited({}, run.events.slice(0, at))
    expect(timeless(again.results)).toEqual(timeless(run.results))
    expect(again.left).toEqual([])
  })

  test('one method stands beside itself under names of its own', async () => {
    const choice = (arm: string, rank: number) => ({ name: 'lora', arm, config: { rank } })
    const { results } = await audited({ methods: [choice('low', 1), choice('high', 8)] })
    const told = results.subjects.map(({ arm, method, title }) => [arm, method, title])
    expect(told.slice(1)).toEqual([
      ['low', 'lora', 'low (LoRA), seed 0'],
      ['high', 'lora', 'high (LoRA), seed 0'],
    ])
    expect(results.matched[0]!.arms.map(({ arm }) => arm)).toEqual(['low', 'high'])
    expect(results.matched[0]!.pairs.every(({ reference }) => reference === 'low')).toBe(true)
  })

  test('the report says which step of each was compared and what is left between the losses', () => {
    const report = renderReport(run.results)
    expect(report).toContain('At the same training loss')
    const [seed] = run.results.matched
    for (const { step, steps } of seed!.arms) expect(report).toContain(`${step} of ${steps}`)
    expect(renderReport({ ...run.results, matched: [] })).not.toContain('At the same training loss')
  })
})
