/** @file `--eval-together`: the states of a fine-tune asked in one pass say what each says by itself, and leave nothing behind. */
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import type { ArmPlan } from '../../../evals/audit/arm.ts'
import { endsInLowRank, tunedOf } from '../../../evals/audit/arm-adapter.ts'
import { COMMANDS } from '../../../evals/cli/commands/registry.ts'
import { namedViews } from '../../../evals/finetune/parameters.ts'
import { METHODS } from '../../../evals/finetune/registry.ts'
import { openStore } from '../../../evals/store/store.ts'
import { freshFolder, runCommand } from '../../doubles/command-line.ts'
import { tinyModel } from '../../doubles/tiny-model.ts'
import { openTiny } from '../../doubles/tiny-training.ts'

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
    [at(row, row.sampleId, 'own'), row.meanLogProb] as const,
    [at(row, row.sampleId, 'base'), row.baseMeanLogProb ?? 0] as const,
  ])
  const scores = ofArm(rows.verdicts, arm).map(
    (row) => [at(row, row.sampleId, row.judge), row.score ?? 0] as const,
  )
  const metrics = ofArm(rows.metrics, arm).map((row) => [at(row, row.name), row.value] as const)
  return new Map([...replies, ...scores, ...metrics])
}

describe('an audit of Pebble', () => {
  let together: Audited
  let apart: Audited
  beforeAll(async () => {
    const methods = ['--methods', [...STACKED, ...ALONE].join()]
    apart = await audited(...methods)
    together = await audited(...methods, '--eval-together')
  }, 240_000)

  test.each([...STACKED, ...ALONE])('%s gives the same words, verdicts and stops', (arm) => {
    const steps = new Set(ofArm(together.rows.evaluations, arm).map(({ step }) => step))
    expect([...steps]).toEqual(STEPS)
    expect(wordsOf(together, arm)).toEqual(wordsOf(apart, arm))
    const [ours, theirs] = [numbersOf(together, arm), numbersOf(apart, arm)]
    expect([...ours.keys()].sort()).toEqual([...theirs.keys()].sort())
    for (const [name, value] of ours) {
      const other = theirs.get(name)!
      expect(Math.abs(value - other), name).toBeLessThan(ROUNDING * Math.max(1, Math.abs(other)))
    }
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
    const why = /, seed 0: states are measured one by one all the same, for (.*)\.$/u
    expect(together.said.flatMap((line) => why.exec(line)?.[1] ?? [])).toEqual([
      'DoRA changes the base by more than low-rank products',
      'Full fine-tuning changes the base by more than low-rank products',
    ])
    const passes = together.said.filter((line) => line.endsWith('4 states asked in one pass'))
    expect(passes).toHaveLength(STACKED.length)
    expect(apart.said.filter((line) => /one pass|one by one/u.test(line))).toEqual([])
  })

  test('nothing that was put aside is left', () => {
    // Tampering data: no weights stay.
    expect(together.left).toEqual([])
  })
})

describe.each(METHODS)('$name', (method) => {
  test('is known beforehand to end in low-rank changes or not', async () => {
    const tiny = tinyModel()
    const methodConfig = method.config.parse({ rank: 2 })
    const asked = { method: method.name, methodConfig: methodConfig as object, tiny }
    const { session } = await openTiny(asked)
    const parameters = namedViews(session.table, session.parameters)
    const { prepared } = session
    const plan = { method, methodConfig } as ArmPlan
    const key = { arm: method.name, seed: 0, step: 0 }
    const base = { model: tiny.model, weights: tiny.weights, path: 'base' }
    const { weights } = tunedOf(base, { plan, key, parameters, prepared, statePath: '' })
    expect(endsInLowRank(method, methodConfig)).toBe(weights.lowRank !== undefined)
    await session.release()
  })
})
