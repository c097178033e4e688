/** @file LoRAMoE against plain torch and X-LoRA against PEFT (make-mixtures.py): first gradients, losses, five AdamW steps. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { bindMethod } from '../../evals/finetune/registry.ts'
import { isTrained, namedViews } from '../../evals/finetune/training/parameters.ts'
import { makeBatch, type Conversed } from '../../evals/finetune/training/dataset.ts'
import { newOptimizerState, train, TrainingConfig } from '../../evals/finetune/training/train.ts'
import { openTraining } from '../../evals/finetune/training/train-graph.ts'
import { FIXTURES, openGolden } from '../doubles/models/golden-llama.ts'
import { floats, integers, readOracle, relativeError } from '../doubles/models/safetensors.ts'

const TOLERANCE = 1e-4
const device = { name: 'cpu', threads: 1 } as const
const golden = await openGolden('llama-untied-gqa')
const expected = readOracle(join(FIXTURES, 'mixtures', 'expected.safetensors'))
const KINDS = [1, 0, 1] as const

/** The oracle's three rows without their padding, each of its kind. */
function rows(): Conversed[] {
  const [, seq] = golden.expected.get('tokens')!.shape as [number, number]
  const [tokens, labels] = [
    integers(golden.expected, 'tokens'),
    integers(golden.expected, 'labels'),
  ]
  return integers(golden.expected, 'attention_lengths').map((length, row) => ({
    ids: tokens.slice(row * seq, row * seq + length),
    labelled: labels.slice(row * seq, row * seq + length).map((label) => label !== -100),
    kind: KINDS[row]!,
  }))
}

const FFN = ['gate_proj', 'up_proj', 'down_proj']
const SETTINGS = {
  'lora-moe': { experts: 3, rank: 2, alpha: 6, balance: 0.5, lean: 0.2, targetModules: FFN },
  'x-lora': {
    adapters: ['a', 'b', 'c'].map((name) => join(FIXTURES, 'x-lora', name)),
    rank: 3,
    targetModules: ['q_proj', 'v_proj', 'down_proj'],
    ...{ layerwise: true, depth: 2, size: 6 },
  },
}

const PLAN: TrainingConfig = {
  ...TrainingConfig.parse({}),
  ...{ steps: 5, batchSize: 3, learningRate: 1e-3, schedule: 'constant' },
  ...{ warmupSteps: 0, weightDecay: 0.01 },
}

test.each(Object.entries(SETTINGS))('%s', async (name, config) => {
  const examples = rows()
  const method = bindMethod({ name, config })
  const session = await openTraining({ ...golden, method, seed: 5, maxPositions: 16, device })
  const oracle = (what: string, parameter: string) =>
    floats(expected, `${name}.${what}.${parameter}`)
  const trained = session.table.slices.filter(isTrained).map((slice) => slice.name)
  const start = namedViews(session.table, session.parameters)
  for (const parameter of trained) start.get(parameter)!.data.set(oracle('init', parameter))
  const { flat } = await session.gradients(makeBatch(examples, 0))
  const gradient = namedViews(session.table, flat.slice())
  const state = newOptimizerState(session.parameters, session.memorySize)
  const plan = { method, examples, padId: 0, config: PLAN, seed: 5, session }
  const rest = { signal: new AbortController().signal, lastGood: () => 'none' }
  const losses: number[] = []
  for await (const { loss } of train(state, { ...plan, ...rest })) losses.push(loss)
  expect(relativeError(losses, floats(expected, `${name}.losses`))).toBeLessThan(TOLERANCE)
  const ends = namedViews(session.table, state.parameters)
  for (const parameter of trained) {
    for (const [what, found] of [
      ['grad', gradient],
      ['after5', ends],
    ] as const) {
      const error = relativeError(found.get(parameter)!.data, oracle(what, parameter))
      expect(error, `${what} ${parameter}`).toBeLessThan(TOLERANCE)
    }
  }
  await session.release()
})
