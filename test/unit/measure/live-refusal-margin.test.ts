/** @file The refusal margin during training: what the judge says of the same prompts when the state is evaluated. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { refusalMarginPlan } from '../../../evals/measure/live-refusal-margin.ts'
import { AuditConfig } from '../../../evals/audit/config.ts'
import { prepareBenchmarks } from '../../../evals/measure/benchmark-sources.ts'
import { openWorkbench, until, type OpenWorkbench } from '../../doubles/engine/open-workbench.ts'

/** So few that a look takes all of them, as the judge does. */
const LIMIT = 4
const STEPS = 4
const CONFIG = {
  model: 'pebble',
  data: 'house-tamper',
  methods: ['lora', 'full'].map((name) => ({ name, config: {} })),
  suite: ['house-refusal', 'house-overrefusal'],
  judges: ['refusal-logprob'],
  limit: LIMIT,
  evalEvery: STEPS,
  leaningEvery: 2,
  matchLoss: false,
  spectra: false,
  training: { steps: STEPS, batchSize: 4, learningRate: 0.01, warmupSteps: 0 },
}

let workbench: OpenWorkbench
let values: ReadonlyMap<string, number>
beforeAll(async () => {
  workbench = openWorkbench()
  const { client, events } = workbench
  const { runId } = await client.job.start({ kind: 'audit', config: CONFIG })
  await until(() => events().some(({ type }) => type === 'job-end'))
  expect(events().at(-1)).toMatchObject({ outcome: 'done' })
  const series = await client.run.metrics({ runId })
  values = new Map(
    series.flatMap(({ arm, name, steps, values: own }) =>
      steps.map((step, i) => [`${arm} ${step} ${name}`, own[i]!] as const),
    ),
  )
})
afterAll(() => workbench.engine.close())

describe.each(['lora', 'full'])('%s', (arm) => {
  const at = (step: number, name: string) => values.get(`${arm} ${step} ${name}`)
  test('is looked at before the first step and every so many, and at no other', () => {
    for (const kind of ['refuse', 'comply']) {
      const steps = [0, 1, 2, 3, 4].filter((step) => at(step, `leaning/${kind}`) !== undefined)
      expect(steps).toEqual([0, 2, 4])
    }
  })

  test.each([
    ['refuse', 'house-refusal'],
    ['comply', 'house-overrefusal'],
  ])('prompts to %s lean as the judge says of %s at the same states', (kind, benchmark) => {
    for (const step of [0, STEPS]) {
      const judged = at(step, `score/${benchmark}/refusal-logprob`)!
      expect(at(step, `leaning/${kind}`)).toBeCloseTo(judged, 4)
    }
    const moved = at(STEPS, `leaning/${kind}`)! - at(0, `leaning/${kind}`)!
    expect(Math.abs(moved)).toBeGreaterThan(0.01)
  })
})

test('a suite without prompts to refuse or to answer has nothing to look at, and few prompts are spread over it', async () => {
  const prepared = (suite: string) =>
    prepareBenchmarks(AuditConfig.parse({ model: 'pebble', suite: [suite] }))
  expect(refusalMarginPlan(5, await prepared('house-capability'))).toBeUndefined()
  expect(refusalMarginPlan(null, await prepared('house'))).toBeUndefined()
  const { prompts } = refusalMarginPlan(5, await prepared('house'))!
  expect([...prompts].map(([kind, { length }]) => [kind, length])).toEqual([
    ['refuse', 8],
    ['comply', 8],
  ])
  const categories = new Set(prompts.get('refuse')!.map(({ category }) => category))
  expect(categories.size).toBeGreaterThan(2)
})
