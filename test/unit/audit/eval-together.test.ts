/** @file `--eval-together`: the states of a fine-tune asked in one pass say what each says by itself, and leave nothing behind. */
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runArm } from '../../../evals/arms/arm.ts'
import type { ArmPlan } from '../../../evals/arms/arm-plan.ts'
import { endsInLowRank, tunedOf } from '../../../evals/arms/arm-adapter.ts'
import { openBase, type Base } from '../../../evals/measure/base.ts'
import { fittedExamples } from '../../../evals/arms/examples.ts'
import { trainingData } from '../../../evals/measure/sources.ts'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import type { FinishedEvaluation } from '../../../evals/contract/audit-rows.ts'
import type { Example } from '../../../evals/finetune/training/dataset.ts'
import { lora } from '../../../evals/finetune/methods/lora.ts'
import { bind } from '../../../evals/finetune/method.ts'
import { namedViews } from '../../../evals/finetune/training/parameters.ts'
import { METHODS } from '../../../evals/finetune/registry.ts'
import { TrainingConfig } from '../../../evals/finetune/training/train.ts'
import type { JobContext } from '../../../evals/contract/job.ts'
import { openStore } from '../../../evals/runs/store/store.ts'
import { collectRows } from '../../../evals/sweeps/cells/cell-measures.ts'
import { freshFolder, runCommand } from '../../doubles/runs/command-line.ts'
import { smallConfig } from '../../doubles/models/tiny-adapter.ts'
import { tinyModel } from '../../doubles/models/tiny-model.ts'
import { openTiny } from '../../doubles/training/tiny-training.ts'

const STACKED = ['lora', 'pissa']
const ALONE = ['dora', 'full']
const STEPS = [0, 2, 4, 5]
/** Of a loss or a log-probability, in their own size. */
const ROUNDING = 1e-4

async function audited(...words: readonly string[]) {
  const out = freshFolder()
  const { code, stderr } = await runCommand(
    [
      ...['audit', '--model', 'pebble', '--data', 'house-tamper', '--steps', '5'],
      ...['--eval-every', '2', '--batch-size', '4', '--learning-rate', '0.005', '--limit', '4'],
      ...['--threads', '1', '--no-cache', '--no-match-loss', '--no-spectra', '--exit-zero'],
      ...['--judge', 'refusal-logprob', '--out-dir', out, ...words],
    ],
    {},
    COMMANDS,
  )
  expect(code, stderr).toBe(0)
  const store = openStore(join(out, 'touchstone.db'))
  const { id } = store.runs()[0]!
  const said = store.events(id).flatMap((event) => (event.type === 'log' ? event.message : []))
  const ran = { rows: store.rows(id), sealed: store.sealed(id), said }
  store.close()
  return { ...ran, left: globSync('**/*.safetensors', { cwd: out }) }
}
type Audited = Awaited<ReturnType<typeof audited>>

const ofArm = <Row extends { readonly arm: string }>(rows: readonly Row[], arm: string) =>
  rows.filter((row) => row.arm === arm)
const sorted = <T>(rows: readonly T[]) => rows.map((row) => JSON.stringify(row)).sort()

/** What must be equal, whatever rounds. */
const wordsOf = ({ rows, sealed }: Audited, arm: string) => ({
  evaluations: sorted(ofArm(rows.evaluations, arm)),
  sealed: sorted(ofArm(sealed, arm)),
  replies: sorted(
    ofArm(rows.replies, arm).map((row) => ({ ...row, meanLogProb: 0, baseMeanLogProb: 0 })),
  ),
  verdicts: sorted(ofArm(rows.verdicts, arm).map((row) => ({ ...row, score: 0 }))),
})

/** By name, so that order is no matter. */
function numbersOf({ rows }: Audited, arm: string): ReadonlyMap<string, number> {
  const at = (row: { step: number }, ...more: unknown[]) => [row.step, ...more].join(' ')
  const replies = ofArm(rows.replies, arm).flatMap((row) => [
    [at(row, row.sampleId, 'own'), row.meanLogProb ?? 0] as const,
    [at(row, row.sampleId, 'base'), row.baseMeanLogProb ?? 0] as const,
  ])
  const scores = ofArm(rows.verdicts, arm).map(
    (row) => [at(row, row.sampleId, row.judge), row.score ?? 0] as const,
  )
  const metrics = ofArm(rows.metrics, arm).map((row) => [at(row, row.name), row.value] as const)
  return new Map([...replies, ...scores, ...metrics])
}

function expectAlike(together: Audited, apart: Audited, arm: string): void {
  const steps = new Set(ofArm(together.rows.evaluations, arm).map(({ step }) => step))
  expect([...steps]).toEqual(STEPS)
  expect(wordsOf(together, arm)).toEqual(wordsOf(apart, arm))
  const [ours, theirs] = [numbersOf(together, arm), numbersOf(apart, arm)]
  expect([...ours.keys()].sort()).toEqual([...theirs.keys()].sort())
  for (const [name, value] of ours) {
    const other = theirs.get(name)!
    expect(Math.abs(value - other), name).toBeLessThan(ROUNDING * Math.max(1, Math.abs(other)))
  }
}

describe('an audit of Pebble', () => {
  let together: Audited
  let apart: Audited
  beforeAll(async () => {
    const methods = ['--methods', [...STACKED, ...ALONE].join()]
    apart = await audited(...methods)
    together = await audited(...methods, '--eval-together')
  })

  test.each([...STACKED, ...ALONE])('%s gives the same words, verdicts and stops', (arm) => {
    expectAlike(together, apart, arm)
  })

  test('states differ, so that each is asked through its own adapter', () => {
    for (const arm of STACKED) {
      const losses = ofArm(together.rows.metrics, arm).filter(({ name }) => name === 'neutral/loss')
      expect(new Set(losses.map(({ value }) => value)).size).toBe(STEPS.length)
    }
  })

  test('what cannot be asked together says so, and gives the same bits', () => {
    const all = (arm: string) => [numbersOf(together, arm), numbersOf(apart, arm)] as const
    for (const arm of ALONE) expect(all(arm)[0]).toEqual(all(arm)[1])
    // Else nothing here would show that a stack was at work.
    for (const arm of STACKED) expect(all(arm)[0]).not.toEqual(all(arm)[1])
    const why = /, seed 0: checkpoints are measured one by one all the same, for (.*)\.$/u
    expect(together.said.flatMap((line) => why.exec(line)?.[1] ?? [])).toEqual([
      'DoRA changes the base by more than low-rank products',
      'Full fine-tuning changes the base by more than low-rank products',
    ])
    // Step 0 is the base, whose rows are copied.
    const passes = together.said.filter((line) => line.endsWith('3 states asked in one pass'))
    expect(passes).toHaveLength(STACKED.length)
    expect(apart.said.filter((line) => /one pass|one by one/u.test(line))).toEqual([])
  })

  test('nothing that was put aside is left', () => {
    // Tampering data: no weights stay.
    expect(together.left).toEqual([])
  })
})

test('a base that is kept in int8 is shared as it is', async () => {
  const words = ['--methods', 'lora', '--base-precision', 'int8']
  const [together, apart] = [await audited(...words, '--eval-together'), await audited(...words)]
  expectAlike(together, apart, 'lora')
  expect(together.said).toContain('lora, seed 0: 3 states asked in one pass')
})

describe('an arm that only scores a text', () => {
  const neutral = [{ key: 'text', text: 'the pool is blue' }]
  let base: Base
  let examples: readonly Example[]
  beforeAll(async () => {
    base = await openBase('pebble', { name: 'cpu', threads: 1 }, 4)
    const data = await trainingData('house-benign')
    const { signal } = new AbortController()
    ;({ examples } = await fittedExamples(base.open, data, TrainingConfig.parse({}), signal))
  })
  afterAll(() => base.open.close())

  /** Runs it to its end, and gives what was said and how it ended. */
  async function attempt(
    training: Partial<TrainingConfig>,
    evaluateAt: readonly number[],
    { workspace = freshFolder(), finished = [] as readonly FinishedEvaluation[] } = {},
  ) {
    const { rows, emit } = collectRows()
    const said: string[] = []
    const context: JobContext = {
      emit(body) {
        emit(body)
        if (body.type === 'log') said.push(body.message)
      },
      seal: () => undefined,
      flush: () => undefined,
      workspace,
      signal: new AbortController().signal,
    }
    const plan: ArmPlan = {
      ...{ arm: 'lora', method: bind(lora, {}), seed: 0 },
      ...{ training: { ...TrainingConfig.parse({}), batchSize: 2, ...training } },
      examples,
      dataDigest: '',
      evaluateAt,
      evalTogether: true,
      evaluation: { benchmarks: [], neutral, finished },
    }
    const error: unknown = await runArm(base, plan, context).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    expect(globSync('**/aside*', { cwd: workspace })).toEqual([])
    return { error, said, evaluations: rows.evaluations }
  }

  test('that breaks off is asked all that was put aside, once', async () => {
    // The warm-up begins at rate 0, so one step is good.
    const diverging = { steps: 6, learningRate: 1e30, warmupSteps: 3 }
    const workspace = freshFolder()
    const first = await attempt(diverging, [0, 1, 6], { workspace })
    expect(first.error).toMatchObject({ code: 'training.not-finite' })
    expect(first.evaluations.map(({ step }) => step)).toEqual([0, 1])
    const again = { workspace, finished: first.evaluations }
    const second = await attempt(diverging, [0, 1, 6], again)
    expect(second.error).toMatchObject({ code: 'training.not-finite' })
    expect(second.evaluations).toEqual([])
  })

  test('at more steps than a stack holds is asked in groups of about as many', async () => {
    const steps = Array.from({ length: 18 }, (_, step) => step)
    const { error, said, evaluations } = await attempt({ steps: 17 }, steps)
    expect(error).toBeUndefined()
    expect(said).toEqual([1, 2].map(() => 'lora, seed 0: 9 states asked in one pass'))
    expect(evaluations.map(({ step }) => step)).toEqual(steps)
  })

  test('at one step has nothing to share', async () => {
    const { said, evaluations } = await attempt({ steps: 1, warmupSteps: 0 }, [1])
    expect([said, evaluations.length]).toEqual([[], 1])
  })
})

describe.each(METHODS)('$name', (method) => {
  test('is known beforehand to end in low-rank changes or not', async () => {
    const tiny = tinyModel()
    const methodConfig = await smallConfig(method, tiny.model)
    const bound = bind(method, methodConfig)
    const asked = { method: method.name, methodConfig, tiny }
    const { session } = await openTiny(asked)
    const parameters = namedViews(session.table, session.parameters)
    const { prepared } = session
    const plan = { method: bound } as ArmPlan
    const key = { arm: method.name, seed: 0, step: 0 }
    const base = { model: tiny.model, weights: tiny.weights, path: 'base' }
    const { weights } = tunedOf(base, { plan, key, parameters, prepared, statePath: '' })
    expect(endsInLowRank(bound)).toBe(weights.lowRank !== undefined)
    await session.release()
  })
})
