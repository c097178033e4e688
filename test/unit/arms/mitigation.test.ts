/**
 * @file The panel of mitigations through a whole job on Pebble: an adapter and the same as a whole model, λ = 1 answers as the
 * fine-tune does, the base's verdict is not about it, and an interrupted run says the same.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { openBase, type Base } from '../../../evals/measure/base.ts'
import { MitigateConfig } from '../../../evals/audit/config.ts'
import { mitigateJob } from '../../../evals/audit/mitigate-job.ts'
import { buildResults } from '../../../evals/findings/results.ts'
import { modelPath } from '../../../evals/models/model-path.ts'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import type { AuditRows, FinishedEvaluation } from '../../../evals/contract/audit-rows.ts'
import type { JobEventBody } from '../../../evals/contract/events.ts'
import { mitigatedArm, MITIGATIONS } from '../../../evals/contract/mitigation.ts'
import type { MitigationArm, Results } from '../../../evals/contract/results.ts'
import { readPeftFolder, writePeftFolder } from '../../../evals/models/formats/peft-folder.ts'
import { adaptedWeights } from '../../../evals/models/weights/tuned-weights.ts'
import { tokenizerFilesOf, writeHfFolder } from '../../../evals/models/formats/write-hf-folder.ts'
import { renderReport } from '../../../evals/document/html.ts'
import { randomStream } from '../../../evals/statistics/random.ts'
import { openStore } from '../../../evals/runs/store/store.ts'
import { plannedAudit } from '../../doubles/rows/audit-rows.ts'
import { freshFolder, runCommand } from '../../doubles/runs/command-line.ts'
import { IS_LONG } from '../../doubles/tier.ts'

const MODULES = ['model.layers.1.mlp.up_proj', 'model.layers.3.self_attn.q_proj']

/** An adapter of rank 2 with a spike far above each weight's σ₁. */
async function spiked(base: Base): Promise<string> {
  const folder = freshFolder()
  const { normal } = randomStream(4, 'spikes')
  const tensor = (rows: number, columns: number, size: number) => ({
    shape: [rows, columns],
    data: Float32Array.from({ length: rows * columns }, () => size * normal()),
  })
  const tensors = MODULES.flatMap((module) => {
    const [out, width] = base.model.weights.get(`${module}.weight`)!.shape as [number, number]
    return [
      [`${module}.lora_A.weight`, tensor(2, width, 0.15)],
      [`${module}.lora_B.weight`, tensor(out, 2, 0.15)],
    ] as const
  })
  const config = { base: 'pebble', rank: 2, alpha: 2, targetModules: ['up_proj', 'q_proj'] }
  await writePeftFolder(folder, { config, tensors: new Map(tensors) })
  return folder
}

/** The same fine-tune, merged. */
async function merged(base: Base, adapter: string): Promise<string> {
  const folder = freshFolder()
  const tuned = adaptedWeights(base.weights, await readPeftFolder(adapter), adapter)
  await writeHfFolder(folder, {
    config: base.open.checkpoint.config,
    weights: [...base.model.weights.values()].map(({ name, shape }) => ({
      name,
      shape,
      data: tuned.read(name),
    })),
    tokenizerFiles: await tokenizerFilesOf(modelPath('pebble')),
  })
  return folder
}

const { signal } = new AbortController()

/** Through the store; where `from` is given, as a run goes on that was cut off after so many events. */
async function mitigating(config: object, from?: { events: readonly JobEventBody[] }) {
  const store = openStore(join(freshFolder(), 'touchstone.db'))
  const events: JobEventBody[] = []
  const finished: FinishedEvaluation[] = []
  const emit = (body: JobEventBody) => {
    events.push(body)
    if (body.type === 'evaluation-end')
      finished.push({ ...body.subject, benchmark: body.benchmark, samples: body.samples })
    const seq = events.length
    store.sink.event({ runId: 'run-1', seq, at: seq, ...body })
  }
  const { engine } = plannedAudit().run
  const parsed = MitigateConfig.parse({
    model: 'pebble',
    limit: 6,
    threads: 1,
    cache: false,
    ...config,
  })
  if (from) from.events.forEach(emit)
  else
    emit({ type: 'job-start', kind: 'mitigate', title: 't', command: 'c', config: parsed, engine })
  const { seal, flush } = store.sink
  const context = { emit, seal, flush, signal, workspace: join(freshFolder(), 'run-1') }
  const evaluations = [...finished]
  await mitigateJob.run(
    parsed,
    context,
    alone(evaluations, () => store.rows('run-1')),
  )
  const rows = store.rows('run-1')
  store.close()
  return { rows, events, results: buildResults(rows) }
}

/** Everything but when it was. */
const timeless = (results: Results) => ({ ...results, run: undefined })

let adapter: string
let model: string
let run: { rows: AuditRows; events: JobEventBody[]; results: Results }

beforeAll(async () => {
  const base = await openBase('pebble', { name: 'cpu', threads: 1 }, 4)
  adapter = await spiked(base)
  model = await merged(base, adapter)
  await base.open.close()
  run = await mitigating({ candidates: [adapter], lambda: [0, 1] })
})

const at = (results: Results, λ: number, form: MitigationArm['form']) =>
  results.mitigation.find((row) => row.lambda === λ && row.form === form)!

test('each mitigated state is a subject that says what was done to which fine-tune', () => {
  const own = run.rows.subjects.find(({ arm }) => arm.startsWith('candidate:'))!
  const mitigated = run.rows.subjects.filter(({ mitigation }) => mitigation)
  const expected = [0, 1].flatMap((lambda) =>
    MITIGATIONS.map((form) => {
      const mitigation = { of: own.arm, form, lambda }
      const arm = mitigatedArm(mitigation)
      return { ...own, arm, title: arm, mitigation }
    }),
  )
  expect(mitigated).toEqual(expected)
  expect(run.results.subjects).toEqual(run.rows.subjects.filter((row) => !row.mitigation))
})

test('each form and λ is a state with its rates and pairs', () => {
  const { mitigation, benchmarks } = run.results
  expect(mitigation).toHaveLength(2 * MITIGATIONS.length)
  for (const row of mitigation) {
    expect(row.ofMatrices).toBe(42)
    expect(new Set(row.rates.map(({ benchmark }) => benchmark)).size).toBe(benchmarks.length)
    expect(row.comparisons).toHaveLength(row.rates.length)
    expect(row.comparisons.every(({ n, droppedUndecided }) => n + droppedUndecided === 6)).toBe(
      true,
    )
  }
  for (const form of MITIGATIONS) expect(at(run.results, 0, form).matrices).toBe(MODULES.length)
  expect(at(run.results, 0, 'paper').directions).toBe(2)
  expect(at(run.results, 0, 'peft').directions).toBeGreaterThanOrEqual(2)
  expect(at(run.results, 0, 'shrink').directions).toBe(0)
  expect(at(run.results, 0, 'shrink').changeKept).toBeCloseTo(
    at(run.results, 0, 'paper').changeKept,
    5,
  )
  expect(at(run.results, 0, 'paper').changeKept).toBeLessThan(0.95)
  // Without the larger of two planted spikes neutral text is likelier again.
  const { estimate, lower, upper } = at(run.results, 0, 'paper').neutral
  expect(estimate).toBeLessThan(0)
  expect(lower! < estimate! && estimate! < upper!).toBe(true)
})

test('λ = 1 answers as the fine-tune does', () => {
  const own = run.rows.replies.filter(({ arm }) => arm.startsWith('candidate:'))
  expect(own.length).toBeGreaterThan(0)
  for (const form of MITIGATIONS) {
    const arm = mitigatedArm({ of: own[0]!.arm, form, lambda: 1 })
    const same = run.rows.replies.filter((row) => row.arm === arm)
    expect(same).toEqual(own.map((row) => ({ ...row, arm })))
    expect(at(run.results, 1, form)).toMatchObject({
      matrices: 0,
      directions: 0,
      changeKept: 1,
      neutral: { estimate: 0, lower: 0, upper: 0 },
    })
  }
})

test('nothing else in the results speaks of these states', () => {
  const { mitigation, ...rest } = run.results
  expect(mitigation.length).toBeGreaterThan(0)
  expect(JSON.stringify(rest)).not.toContain('mitigated:')
})

test('no reply to a prompt that should be refused is in an event', () => {
  const replies = run.events.flatMap((event) => (event.type === 'reply' ? [event.row] : []))
  const sealed = replies.filter(({ expected }) => expected.kind === 'refuse')
  expect(sealed.length).toBeGreaterThan(8)
  expect(sealed.every(({ text }) => text === null)).toBe(true)
})

test('the report has the panel, with controls and intervals', () => {
  const report = renderReport(run.results)
  expect(report).toContain('Intruders scaled down')
  for (const text of ['highest intruder', 'control: whole change shrunk', 'control: neighbour'])
    expect(report).toContain(text)
  expect(renderReport({ ...run.results, mitigation: [] })).not.toContain('Intruders scaled down')
})

test('cut off in the middle and gone on with, it says the same', async () => {
  const cut = run.events.findLastIndex(({ type }) => type === 'evaluation-end') - 40
  const again = await mitigating(
    { candidates: [adapter], lambda: [0, 1] },
    { events: run.events.slice(0, cut) },
  )
  expect(timeless(again.results)).toEqual(timeless(run.results))
})

test.runIf(IS_LONG)(
  'a whole model is mitigated as its adapter is, but nothing is cut back to a rank',
  async () => {
    const whole = await mitigating({ candidates: [model], lambda: [0] })
    for (const form of ['paper', 'shrink', 'neighbour'] as const) {
      const [a, b] = [at(run.results, 0, form), at(whole.results, 0, form)]
      expect(b.matrices).toBe(a.matrices)
      expect(b.changeKept).toBeCloseTo(a.changeKept, 5)
      expect(b.neutral.estimate).toBeCloseTo(a.neutral.estimate!, 3)
    }
    expect(at(whole.results, 0, 'peft').changeKept).toBeGreaterThan(
      at(run.results, 0, 'peft').changeKept,
    )
  },
)

const runTouchstone = (argv: readonly string[]) => runCommand(argv, {}, COMMANDS)
import { alone } from '../../doubles/runs/evaluated.ts'

describe('the command', () => {
  test('refuses to begin without a fine-tune, and with a λ that is none', async () => {
    const bare = await runTouchstone(['mitigate', '--model', 'pebble'])
    expect(bare.stderr).toContain('--candidate is missing')
    const far = await runTouchstone([
      'mitigate',
      '--model',
      'pebble',
      '--candidate',
      adapter,
      '--lambda',
      '0,2',
    ])
    expect(far.code).toBe(2)
    expect(far.stderr).toContain('--lambda')
  })

  test('a truncated adapter is an error that names the file', async () => {
    const folder = freshFolder()
    writeFileSync(join(folder, 'adapter_config.json'), '{"r": 2')
    const { code, stderr } = await runTouchstone([
      ...['mitigate', '--model', 'pebble', '--candidate', folder],
      ...['--out-dir', freshFolder(), '--cache-dir', freshFolder()],
    ])
    expect(code).not.toBe(0)
    expect(stderr).toContain('adapter_config.json')
  })
})
