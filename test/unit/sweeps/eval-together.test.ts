/** @file `--eval-together` in sweeps: a cell's looks in one pass find what they find one by one, and its key says which it was. */
import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import type { ModelCellSpec } from '../../../evals/contract/sweeps.ts'
import { planCells } from '../../../evals/sweeps/cells/cell.ts'
import { SweepConfig } from '../../../evals/sweeps/config.ts'
import { measureModel, openCellInputs } from '../../../evals/sweeps/cells/model-cell.ts'
import { freshFolder, runCommand } from '../../doubles/runs/command-line.ts'

/** Of a loss, in its own size. */
const ROUNDING = 1e-4
const IDENTITY = { base: null, data: null, prompts: null, numerics: '' }

const specsOf = (methods: readonly string[], evalTogether: boolean) =>
  planCells(
    SweepConfig.parse({
      model: 'pebble',
      data: 'house-tamper',
      limit: 4,
      evalEvery: 6,
      evalTogether,
      methods: methods.map((name) => ({ name, config: {} })),
      training: { steps: 12, batchSize: 4, learningRate: 0.005, warmupSteps: 1 },
    }),
    IDENTITY,
  ).map(({ key, spec }) => ({ key, spec: spec as ModelCellSpec }))

test('a cell finds the same rates, and the same losses up to rounding', async () => {
  const [apart, together] = [specsOf(['lora'], false)[1]!.spec, specsOf(['lora'], true)[1]!.spec]
  expect([apart.evalTogether, together.evalTogether]).toEqual([undefined, true])
  const bench = await openCellInputs(apart)
  const signal = new AbortController().signal
  const folder = freshFolder()
  const alone = await measureModel(apart, bench, freshFolder(), signal)
  const found = await measureModel(together, bench, folder, signal)
  await bench.base.open.close()
  // The looks and, of them, those that the suite is asked at.
  const lengths = new Map(found.curves.map(({ name, x }) => [name, x.length]))
  expect([lengths.get('test-loss'), lengths.get('house-refusal')]).toEqual([10, 2])
  const isLoss = ({ name }: { readonly name: string }) => /(?:test|held-out)-loss$/u.test(name)
  const exact = ({ metrics, curves }: typeof found) =>
    [...metrics, ...curves].filter((each) => !isLoss(each))
  expect(exact(found)).toEqual(exact(alone))
  const losses = ({ metrics, curves }: typeof found) => [
    ...metrics.filter(isLoss).map(({ value }) => value),
    ...curves.filter(isLoss).flatMap(({ y }) => y),
  ]
  const others = losses(alone)
  expect(losses(found)).not.toEqual(others)
  losses(found).forEach((value, i) =>
    expect(Math.abs(value / others[i]! - 1)).toBeLessThan(ROUNDING),
  )
  expect(readdirSync(folder, { recursive: true }).join('\n')).not.toContain('aside')
})

test('cells of before keep their keys, and so do those whose states are asked one by one anyway', () => {
  const methods = ['lora', 'dora', 'full']
  const keys = (evalTogether: boolean) => specsOf(methods, evalTogether).map(({ key }) => key)
  const [apart, together] = [keys(false), keys(true)]
  // The base, LoRA, DoRA and full fine-tuning.
  expect(together.map((key, i) => key === apart[i])).toEqual([true, false, true, true])
  expect(Object.keys(specsOf(['lora'], false)[1]!.spec)).not.toContain('evalTogether')
})

test('a method whose states cannot be asked together is named', async () => {
  const out = freshFolder()
  const argv = ['--model', 'pebble', '--data', 'house-tamper', '--methods', 'lora,full']
  const small = ['--steps', '2', '--batch-size', '2', '--limit', '2', '--jobs', '1']
  const { code, stderr } = await runCommand(
    ['sweep', ...argv, ...small, '--eval-together', '--out-dir', out],
    {},
    COMMANDS,
  )
  expect(code, stderr).toBe(0)
  const said = stderr.split('\n').filter((line) => line.includes('one by one'))
  expect(said).toEqual([
    expect.stringContaining('full: checkpoints are measured one by one all the same'),
  ])
  expect(readdirSync(out, { recursive: true }).join('\n')).not.toMatch(/safetensors/)
})
