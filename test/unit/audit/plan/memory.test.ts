/** @file What is said of memory before a run holds while it runs, and grows with what it is made of. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { isAskedMerged } from '../../../../evals/arms/arm-adapter.ts'
import { AuditConfig } from '../../../../evals/audit/config.ts'
import { askingOf } from '../../../../evals/audit/plan/asking-memory.ts'
import { emptyCache } from '../../../../evals/inference/cached-graph.ts'
import { keptCache } from '../../../../evals/inference/small-cache.ts'
import { peakBytes, type MemoryNeed } from '../../../../evals/audit/plan/memory.ts'
import { benignRows } from '../../../../evals/bundled/hotel/fine-tuning.ts'
import { modelPath } from '../../../../evals/models/model-path.ts'
import { dataOf } from '../../../../evals/audit/arm-plans.ts'
import { plannedBytes } from '../../../../evals/audit/plan/plan-memory.ts'
import { planOf } from '../../../../evals/audit/plan/plan.ts'
import { bindMethod } from '../../../../evals/finetune/registry.ts'
import { lossPieces } from '../../../../evals/finetune/training/loss-pieces.ts'
import { trainedSize } from '../../../../evals/finetune/training/trained-size.ts'
import { openModel } from '../../../../evals/models/open-model.ts'
import { cacheOf, recognise } from '../../../../evals/models/registry.ts'
import { elementsOfAll } from '../../../../evals/models/weights/stored-weights.ts'
import { peakOf, touchstone } from '../../../bench/harness/peak.ts'
import {
  LLAMA_1_5B,
  LLAMA_7B,
  shapesOnly,
  SMOLLM2_135M,
} from '../../../bench/harness/random-model.ts'
import inInt8 from '../../../bench/results/memory-int8-2026-12-02.json' with { type: 'json' }
import measured from '../../../bench/results/memory-nf4-2026-12-01.json' with { type: 'json' }
import { freshFolder } from '../../../doubles/runs/command-line.ts'
import { tinyModel } from '../../../doubles/models/tiny-model.ts'
import { openTiny } from '../../../doubles/training/tiny-training.ts'

const SIZES = { '135m': SMOLLM2_135M, '1.5b': LLAMA_1_5B, '7b': LLAMA_7B }

test.each([
  ['train', '--data', 'house-benign', '--methods', 'lora', '--steps', '2'],
  ['eval', '--suite', 'house', '--limit', '2', '--max-new-tokens', '4'],
])(
  'the peak of a run of Pebble is within −10 %% and +25 %% of what was said: %s',
  async (...verb) => {
    const argv = [...verb, '--model', 'pebble', '--out-dir', freshFolder()]
    const said = await peakOf(touchstone(...argv, '--dry-run', '--json'))
    const { bytes } = JSON.parse(said.text) as { bytes: number }
    const run = await peakOf(touchstone(...argv))
    expect(run.exit).toBe(0)
    expect(bytes / run.bytes).toBeGreaterThan(0.9)
    expect(bytes / run.bytes).toBeLessThan(1.25)
  },
)

describe('states that are asked in one pass', () => {
  const asked = { methods: 'lora', steps: 8, evalEvery: 2, together: true }
  async function planned(own: Partial<typeof asked> = {}) {
    const { methods, steps, evalEvery, together } = { ...asked, ...own }
    const config = AuditConfig.parse({
      ...{ model: 'pebble', data: 'house-benign', limit: 4, training: { steps } },
      evalEvery,
      evalTogether: together,
      matchLoss: false,
      spectra: false,
      methods: methods.split(',').map((name) => ({ name, config: {} })),
    })
    const [line] = await planOf(config, true)
    return line!.bytes!
  }
  /** Rank 8 of every linear layer. */
  const adapterNumbers = async () => {
    const open = await openModel(modelPath('pebble'))
    const { weights } = recognise(open.checkpoint)
    await open.close()
    const adapted = [...weights.values()].filter(({ module }) => module !== undefined)
    return adapted.reduce((sum, { shape }) => sum + 8 * (shape[0]! + shape[1]!), 0)
  }

  test('take their adapters twice, and room for what they write', async () => {
    const alone = await planned({ together: false })
    const five = (await planned()) - alone
    const three = (await planned({ evalEvery: 4 })) - alone
    // Two states more, and the rows of each state but the first.
    expect(three).toBeGreaterThan(3 * 2 * 4 * (await adapterNumbers()))
    const each = (five - three) / 2
    const cacheOfThree = three - 3 * 2 * 4 * (await adapterNumbers())
    expect(each).toBeCloseTo(2 * 4 * (await adapterNumbers()) + cacheOfThree / 2, 0)
  })

  test('are no more than a stack holds, and none of a method that is asked one by one', async () => {
    // States 0 to 15, and ten times as many.
    const [sixteen, more] = [15, 159].map((steps) => planned({ steps, evalEvery: 1 }))
    expect(await more).toBe(await sixteen)
    for (const methods of ['dora', 'full'])
      expect(await planned({ methods })).toBe(await planned({ methods, together: false }))
  })
})

test('asked alone, a model that must be read into memory first takes more', () => {
  const asked: MemoryNeed = {
    model: tinyModel().model,
    precision: 'fp32',
    trained: 0,
    evaluates: true,
    batch: { rows: 1, longest: 1, labelled: 0 },
  }
  expect(peakBytes({ ...asked, isRead: true })).toBeGreaterThan(peakBytes(asked))
  expect(peakBytes({ ...asked, trained: 1 })).toBeGreaterThan(peakBytes(asked))
})

describe('keys and values of one state', () => {
  const { model } = tinyModel({ layers: 3, heads: 4, kvHeads: 2, headDim: 16 })
  const texts = { benchmarks: [{ replies: 40, prompt: 13, reply: 7 }], neutral: [30, 500, 20] }
  const of = (batchSize: number, cachePrecision: 'float32' | 'float16' | 'int8') =>
    askingOf(model, texts, { batchSize, cachePrecision, isCopied: false })

  test.each(['float32', 'float16', 'int8'] as const)(
    'are told in %s as they are made: the batch and a row more, prompt and reply',
    (precision) => {
      const kept = precision === 'float32' ? undefined : precision
      const cache = keptCache(cacheOf(model), kept)
      for (const batch of [1, 16]) {
        // An odd prompt is padded by a token.
        const made = Object.values(emptyCache(cache, batch + 1, 14 + 7).past)
        const bytes = made.reduce((sum, { data }) => sum + data.byteLength, 0)
        expect(of(batch, precision).cacheBytes).toBe(bytes)
      }
      // No more rows than replies.
      expect(of(64, precision).cacheBytes).toBe(of(40, precision).cacheBytes)
    },
  )

  test('are twice of a method that reads twice, and in the peak of a base that is kept small or not', () => {
    const how = { batchSize: 16, isCopied: false }
    const [one, two] = [1, 2].map((passes) => askingOf(model, texts, { ...how, passes }))
    expect(two!.cacheBytes).toBe(2 * one!.cacheBytes)
    for (const precision of ['fp32', 'int8'] as const) {
      const need: MemoryNeed = {
        ...{ model, precision, trained: 0, evaluates: true },
        batch: { rows: 1, longest: 1, labelled: 0 },
      }
      const said = (asking: typeof one) => peakBytes({ ...need, asking })
      expect(said(two) - said(one)).toBe(one!.cacheBytes)
    }
  })

  test('tokens that are scored in a run are those of two texts, or of as many as fit', () => {
    expect(of(1, 'float32').scored).toBe(2 * 500)
    expect(of(2, 'float32').scored).toBe(500 + 30)
    expect(of(16, 'float32').scored).toBe(500 + 30)
  })
})

describe('a state that a remedy makes', () => {
  const { model } = tinyModel()
  const weights = [...model.weights.values()]
  const need: MemoryNeed = {
    ...{ model, precision: 'fp32', trained: 1000, evaluates: true, asksOnTheWay: false },
    batch: { rows: 1, longest: 8, labelled: 4 },
  }
  const more = (own: Partial<MemoryNeed>) =>
    peakBytes({ ...need, ...own, isMended: true }) - peakBytes({ ...need, ...own })

  test('is all weights in memory, where a fine-tune is those that its adapter changes, or none', () => {
    const all = 4 * elementsOfAll(weights)
    const adapted = 4 * elementsOfAll(weights.filter(({ module }) => module !== undefined))
    expect(more({})).toBe(all)
    expect(more({ isMerged: true })).toBe(all - adapted)
    expect(adapted).toBeLessThan(all)
  })

  test('of a remedy has no large base beside it that is mapped from a file', () => {
    const large = { model: shapesOnly(SMOLLM2_135M) }
    const all = 4 * elementsOfAll(large.model.weights.values())
    const beside = peakBytes({ ...need, ...large, isMended: true })
    const freed = { ...need, ...large, isMended: true, isBaseFreed: true }
    expect(beside - peakBytes(freed)).toBe(all)
    expect(peakBytes({ ...freed, isRead: true })).toBeGreaterThan(peakBytes(freed) + all)
    expect(more({ isBaseFreed: true })).toBe(more({}))
  })

  test('is asked when no training holds activations', () => {
    const onTheWay = { ...need, asksOnTheWay: true }
    const held = peakBytes(onTheWay) - peakBytes(need)
    expect(held).toBeGreaterThan(0)
    expect(more({ asksOnTheWay: true })).toBe(4 * elementsOfAll(weights) - held)
    // Beside longer rows it is not the most that is in memory.
    const batch = { rows: 64, longest: 512, labelled: 4 }
    expect(more({ asksOnTheWay: true, batch })).toBe(0)
  })

  test('is in float32 beside a base that is kept small, with its graphs', () => {
    expect(more({ precision: 'int8' })).toBeGreaterThan(2 * 4 * elementsOfAll(weights))
  })

  test('is counted where an audit asks for one', async () => {
    const said = async (remedy: readonly string[]) => {
      const task = join(freshFolder(), 'task.jsonl')
      writeFileSync(
        task,
        benignRows({ rows: 4, seed: 9 })
          .map((row) => JSON.stringify(row))
          .join('\n'),
      )
      const config = AuditConfig.parse({
        ...{ model: 'pebble', data: 'house-benign', limit: 4, training: { steps: 2 } },
        ...{ methods: [{ name: 'dora', config: {} }], spectra: false, evalEvery: 2, task, remedy },
      })
      const [line] = await planOf(config, true)
      return line!.bytes!
    }
    const open = await openModel(modelPath('pebble'))
    const pebble = recognise(open.checkpoint)
    await open.close()
    const isMerged = isAskedMerged(pebble, bindMethod({ name: 'dora', config: {} }))
    const apart = [...pebble.weights.values()].filter(
      ({ module }) => !isMerged || module === undefined,
    )
    expect((await said(['scale'])) - (await said([]))).toBe(4 * elementsOfAll(apart))
  })
})

test.each(['lora', 'dora', 'full', 'lora-fa'])(
  '%s trains as many numbers as are counted without a weight',
  async (method) => {
    const { session } = await openTiny({ method })
    const { trained, ofBase } = trainedSize(
      tinyModel().model,
      bindMethod({ name: method, config: {} }),
    )
    expect(trained).toBe(session.table.trained)
    expect(ofBase).toBe(method === 'full' ? trained : 0)
    await session.release()
  },
)

test.each(measured.runs)(
  'what is said of LoRA on a base in NF4 is within 10 %% of what was measured: $size',
  ({ size, tokens, bytes }) => {
    const model = shapesOnly(SIZES[size as keyof typeof SIZES])
    const method = bindMethod({ name: 'lora', config: {} })
    const batch = { rows: 1, longest: tokens, labelled: tokens - 1 }
    const said = peakBytes({
      ...{ model, precision: 'nf4', batch, evaluates: false, isCopied: true },
      ...trainedSize(model, method),
      pieces: lossPieces(model, method, batch.labelled),
    })
    expect(said / bytes).toBeGreaterThan(0.9)
    expect(said / bytes).toBeLessThan(1.1)
  },
)

test.each(inInt8.runs)(
  'what is said of LoRA on a base in int8 is within 10 %% of what was measured: $size, $batchSize rows, checkpointing $checkpointing',
  async ({ size, steps, batchSize, checkpointing, bytes }) => {
    const config = AuditConfig.parse({
      ...{ model: 'pebble', data: 'house-benign', basePrecision: 'int8' },
      methods: [{ name: 'lora', config: {} }],
      training: { steps, batchSize, checkpointing },
    })
    const pebble = await openModel(modelPath('pebble'))
    const opened = {
      open: { template: pebble.template, tokenizer: pebble.tokenizer },
      model: shapesOnly(SIZES[size as keyof typeof SIZES]),
    }
    const said = await plannedBytes(opened, config, await dataOf(config), false)
    await pebble.close()
    expect(said / bytes).toBeGreaterThan(0.9)
    expect(said / bytes).toBeLessThan(1.1)
  },
)

test('smaller weights, fewer tokens and fewer trained numbers are less memory', () => {
  const need: MemoryNeed = {
    model: tinyModel().model,
    precision: 'fp32',
    trained: 1000,
    evaluates: true,
    batch: { rows: 4, longest: 100, labelled: 50 },
  }
  const said = peakBytes(need)
  for (const less of [
    { precision: 'int8' as const },
    { trained: 900 },
    { ofBase: 1000 },
    { evaluates: false },
    { checkpointing: true },
    { batch: { ...need.batch, longest: 50 } },
    { batch: { ...need.batch, labelled: 40 } },
  ])
    expect(peakBytes({ ...need, ...less }), JSON.stringify(less)).toBeLessThan(said)
  // Not beside each other where states are asked after the training alone.
  expect(peakBytes({ ...need, asksOnTheWay: false })).toBeLessThan(said)
  // 4 bytes of each trained number.
  expect(peakBytes({ ...need, isCopied: true })).toBe(said + 4000)
})
