/** @file A fact sheet: operations of known models, and answers that stand on rows of results.json or are "not measured". */
import { describe, expect, test } from 'vitest'
import type { AuditRows } from '../../../evals/contract/audit-rows.ts'
import { NO_ADVICE } from '../../../evals/contract/signed/fact-sheet.ts'
import type { Results } from '../../../evals/contract/results.ts'
import { factSheetMarkdown, factSheetPage } from '../../../evals/document/fact-sheet.ts'
import { factSheet } from '../../../evals/findings/fact-sheet/fact-sheet.ts'
import { trainingFlops } from '../../../evals/findings/fact-sheet/flops.ts'
import { buildResults } from '../../../evals/findings/results.ts'
import { oscalResults } from '../../../evals/interchange/statements/oscal.ts'
import { smallAudit } from '../../doubles/runs/stored-audit.ts'

/** Parameters of a decoder: attention with `kv` of the hidden width for keys and values, `ffn` in `mats` matrices, embeddings. */
const decoder = (shape: {
  layers: number
  hidden: number
  kv?: number
  ffn: number
  mats: number
  vocabulary: number
  embeddings: number
}) => {
  const { layers, hidden, kv = hidden, ffn, mats, vocabulary, embeddings } = shape
  const block = 2 * hidden * hidden + 2 * hidden * kv + mats * hidden * ffn
  return layers * block + embeddings * vocabulary * hidden
}

const gpt3 = (layers: number, hidden: number) =>
  decoder({ layers, hidden, ffn: 4 * hidden, mats: 2, vocabulary: 50_257, embeddings: 1 })

// Shape, tokens, operations as published.
const PUBLISHED: [string, number, number, number][] = [
  // Brown et al. 2020, table D.1.
  ['GPT-3 Small', gpt3(12, 768), 300e9, 2.25e20],
  ['GPT-3 13B', gpt3(40, 5140), 300e9, 2.31e22],
  ['GPT-3 175B', gpt3(96, 12_288), 300e9, 3.14e23],
  // Llama Team 2024, section 1.
  [
    'Llama 3.1 405B',
    decoder({
      ...{ layers: 126, hidden: 16_384, kv: 1024, ffn: 53_248 },
      ...{ mats: 3, vocabulary: 128_256, embeddings: 2 },
    }),
    15.6e12,
    3.8e25,
  ],
  // OLMo Team 2025, table 1.
  [
    'OLMo 2 7B',
    decoder({
      ...{ layers: 32, hidden: 4096, ffn: 11_008 },
      ...{ mats: 3, vocabulary: 100_352, embeddings: 2 },
    }),
    4.05e12,
    1.8e23,
  ],
]

describe('operations of a training', () => {
  test.each(PUBLISHED)('%s: as published, within 2 %', (_, parameters, tokens, published) => {
    const found = trainingFlops({ parameters, trained: parameters, tokens })
    expect(Math.abs(found / published - 1)).toBeLessThan(0.02)
  })

  test('an adapter costs two thirds of the base’s six operations, and six of its own', () => {
    const [parameters, trained, tokens] = [1000, 10, 7]
    expect(trainingFlops({ parameters, trained, tokens })).toBe((4 * 1000 + 6 * 10) * 7)
  })
})

const TRAINING = { steps: 50, batchSize: 8, gradientAccumulationSteps: 2, learningRate: 0.001 }

/** A run that says what it was trained on. */
function trainedRows(): AuditRows {
  const rows = smallAudit()
  const content = {
    ...{ kind: 'training-data' as const, rows: 400, tokens: 12_000 },
    lint: [{ name: 'repeated', title: 'Rows that repeat an earlier one', rows: 20 }],
  }
  const artifact = { role: 'training data', path: 'rows.jsonl', digest: 'd1', bytes: 1, content }
  const config = { ...(rows.run.config as object), training: TRAINING }
  return { ...rows, run: { ...rows.run, config }, artifacts: [artifact] }
}

const results = JSON.parse(JSON.stringify(buildResults(trainedRows()))) as Results
const questionsOf = (of: Results, baseFlops: number | null = null) =>
  factSheet(of, { baseFlops }).parts.flatMap(({ questions }) => questions)

function at(value: unknown, pointer: string): unknown {
  return pointer
    .slice(1)
    .split('/')
    .reduce((found, key) => (found as Record<string, unknown> | undefined)?.[key], value)
}

describe('the fact sheet', () => {
  test('answers with rows that results.json has', () => {
    const answered = questionsOf(results, 1e15).flatMap(({ answer }) => answer ?? [])
    expect(answered.length).toBeGreaterThan(20)
    for (const { text, pointers } of answered) {
      expect(text).not.toBe('')
      for (const pointer of pointers) expect(at(results, pointer), pointer).toBeDefined()
    }
  })

  test('says what the training took, from its rows', () => {
    const answers = new Map(questionsOf(results, 1e15).map(({ id, answer }) => [id, answer]))
    const lora = results.subjects.find(({ arm, seed }) => arm === 'lora' && seed === 1)!
    // 50 steps of 16 rows of 30 tokens.
    const tokens = 50 * 16 * 30
    const { parameters, trainableParameters: trained } = lora
    const flops = trainingFlops({ parameters, trained, tokens })
    expect(answers.get('flops')!.text).toContain(`${flops.toExponential(2)} FLOPs`)
    expect(answers.get('ratio')!.text).toContain((flops / 1e15).toExponential(2))
    expect(answers.get('lint')!.text).toContain('in 5.0 % of the rows')
  })

  test('leaves open what no row answers', () => {
    const bare = { ...results, gate: null, people: null } as Results
    for (const key of Object.keys(results) as (keyof Results)[])
      if (Array.isArray(results[key])) Object.assign(bare, { [key]: [] })
    Object.assign(bare, { run: { ...results.run, endedAt: results.run.startedAt } })
    const answered = questionsOf(bare).flatMap(({ id, answer }) => (answer ? [id] : []))
    expect(answered).toEqual(['machine'])
    const energy = questionsOf(results).find(({ id }) => id === 'energy')!
    expect(energy.answer).toBeNull()
  })

  test('is no legal advice in any form, and says what is not measured', () => {
    const sheet = factSheet(results, { baseFlops: null })
    const oscal = oscalResults(sheet, results, 'ab'.repeat(32))
    for (const text of [factSheetMarkdown(sheet), factSheetPage(sheet), oscal]) {
      expect(text).toContain(NO_ADVICE)
      expect(text).toContain('not measured')
      expect(text).not.toContain('zzplantedzz')
    }
    // The same rows give the same file.
    expect(oscalResults(sheet, results, 'ab'.repeat(32))).toBe(oscal)
    const ids = [...oscal.matchAll(/"uuid": "([^"]+)"/gu)].map(([, id]) => id)
    expect(new Set(ids).size).toBe(ids.length)
  })
})
