/** @file Each field that must agree is changed once, alone, and is caught and named; nothing else is. */
import { describe, expect, it } from 'vitest'
import { benchmarkDigest } from '../../../../evals/benchmarks/bundled/load-bundled.ts'
import type { AuditRows } from '../../../../evals/contract/audit-rows.ts'
import { COMPARED_FIELDS, type ComparedField } from '../../../../evals/contract/gate/rule.ts'
import { GREEDY } from '../../../../evals/contract/rows.ts'
import { comparability, differenceText } from '../../../../evals/findings/gate/comparability.ts'
import type { ComparedRun, Decoding } from '../../../../evals/findings/gate/compared-run.ts'
import { storedStates } from '../../../../evals/findings/gate/stored-run.ts'
import { plannedRows, REFUSAL } from '../../../doubles/rows/audit-rows.ts'
import { planted, plannedRun } from '../../../doubles/rows/compared-runs.ts'

const plain = plannedRun({ rates: { refusals: { role: 'refusal', counts: planted(20, 18) } } })
const night = { of: 'refusals', name: 'night', title: 'at night', kinds: ['system'], digest: '1' }
const run: ComparedRun = {
  ...plain,
  benchmarks: plain.benchmarks.map((row) => ({ ...row, context: night })),
  judged: plain.judged.map((row) => ({ ...row, context: 'night' })),
}
const WHAT = { benchmark: 'refusals', judge: 'house', context: 'night' }

const withDecoding = (change: Partial<Decoding>): ComparedRun => ({
  ...run,
  benchmarks: run.benchmarks.map((row) => ({ ...row, decoding: { ...row.decoding, ...change } })),
})

const MUTANTS: Readonly<Record<ComparedField, ComparedRun>> = {
  template: { ...run, templateDigest: 'template-2' },
  tokenizer: { ...run, tokenizerDigest: 'tokenizer-2' },
  context: {
    ...run,
    benchmarks: run.benchmarks.map((row) => ({ ...row, context: { ...night, digest: '2' } })),
  },
  thinking: { ...run, judged: run.judged.map((row) => ({ ...row, hasThought: true })) },
  products: { ...run, products: 'rounded to int8' },
  'cache-precision': { ...run, cachePrecision: 'int8' },
  prompts: {
    ...run,
    benchmarks: run.benchmarks.map((row) => ({ ...row, promptSetDigest: 'other prompts' })),
  },
  'prompt-text': {
    ...run,
    judged: run.judged.map((row, i) => (i === 7 ? { ...row, promptDigest: 'another text' } : row)),
  },
  'judge-version': {
    ...run,
    judged: run.judged.map((row, i) => (i === 3 ? { ...row, judgeVersion: 'house-2' } : row)),
  },
  'max-new-tokens': withDecoding({ maxNewTokens: 25 }),
  samples: {
    ...run,
    judged: run.judged.flatMap((row) => [row, { ...row, epoch: 1 }]),
  },
  temperature: withDecoding({ temperature: 0.7 }),
  seed: withDecoding({ seed: 1 }),
}

it('the same run twice differs in nothing', () => {
  const none = { differences: [], allowed: [], unknown: [] }
  expect(comparability(run, run, WHAT)).toEqual(none)
  expect(comparability(plain, plain, { benchmark: 'refusals', judge: 'house' })).toEqual(none)
})

it('a run says of its own configuration whether its answers were rounded', () => {
  const rows = plannedRows({ benchmarks: [REFUSAL], arms: [] })
  const of = (basePrecision: string) =>
    storedStates({ ...rows, run: { id: 'a', config: { basePrecision } } }, 'a').map(
      ({ products }) => products,
    )
  expect(new Set(of('blocks'))).toEqual(new Set([null]))
  expect(new Set(of('blocks-int8'))).toEqual(new Set(['rounded to int8']))
})

describe.each(COMPARED_FIELDS)('%s', (field) => {
  const mutant = MUTANTS[field]

  it('is caught from either side, alone and by its name', () => {
    for (const [a, b] of [
      [run, mutant],
      [mutant, run],
    ] as const) {
      const { differences, allowed } = comparability(a, b, WHAT)
      expect(differences.map((difference) => difference.field)).toEqual([field])
      expect(allowed).toEqual([])
      expect(differenceText(differences[0]!)).toContain(field)
    }
  })

  it('may be allowed by its own name and by no other', () => {
    const { differences, allowed } = comparability(run, mutant, WHAT, [field])
    expect(differences).toEqual([])
    expect(allowed.map((difference) => difference.field)).toEqual([field])
    const others = COMPARED_FIELDS.filter((name) => name !== field)
    expect(comparability(run, mutant, WHAT, others).differences).toHaveLength(1)
  })
})

describe('what is not known', () => {
  const silent: ComparedRun = {
    ...run,
    templateDigest: null,
    tokenizerDigest: null,
    benchmarks: run.benchmarks.map((row) => ({
      ...row,
      promptSetDigest: null,
      decoding: { maxNewTokens: null, temperature: null, seed: null },
    })),
  }

  it('on one side is a difference', () => {
    const fields = comparability(run, silent, WHAT).differences.map(({ field }) => field)
    expect(fields).toEqual([
      'template',
      'tokenizer',
      'prompts',
      'max-new-tokens',
      'temperature',
      'seed',
    ])
  })

  it('on both sides is said, and the prompts are then compared by their names', () => {
    const { differences, unknown } = comparability(silent, silent, WHAT)
    expect(differences).toEqual([])
    expect(unknown).toEqual(['template', 'tokenizer', 'max-new-tokens', 'temperature', 'seed'])
    const fewer = { ...silent, judged: silent.judged.slice(1) }
    expect(comparability(silent, fewer, WHAT).differences.map(differenceText)).toEqual([
      'prompts (20 prompts and 19 prompts, 1 missing and 0 new)',
    ])
  })
})

describe('two stored runs that differ in one field', () => {
  const whole = plannedRows({ benchmarks: [REFUSAL], arms: [] })
  const what = { benchmark: 'house-refusal', judge: 'house' }
  const subjects = (change: Partial<AuditRows['subjects'][number]>) => ({
    ...whole,
    subjects: whole.subjects.map((row) => ({ ...row, ...change })),
  })
  const benchmarks = (change: Partial<AuditRows['benchmarks'][number]>) => ({
    ...whole,
    benchmarks: whole.benchmarks.map((row) => ({ ...row, ...change })),
  })
  const samples = whole.replies.map(({ sampleId, benchmark, category, prompt, expected }) => ({
    id: sampleId,
    benchmark,
    category,
    expected,
    messages: [{ role: 'user' as const, content: prompt }],
  }))
  const digestOf = (rows: typeof samples) => benchmarkDigest(rows)
  const [first, second, ...rest] = samples

  const MUTATED: readonly (readonly [string, ComparedField, AuditRows])[] = [
    ['its chat template', 'template', subjects({ templateDigest: 'sha256:other' })],
    ['its tokenizer', 'tokenizer', subjects({ tokenizerDigest: 'sha256:other' })],
    ['a prompt fewer', 'prompts', benchmarks({ digest: digestOf(samples.slice(1)) })],
    [
      'two prompts in turn',
      'prompts',
      benchmarks({ digest: digestOf([second!, first!, ...rest]) }),
    ],
    [
      'one word of a prompt',
      'prompts',
      benchmarks({
        digest: digestOf([
          { ...first!, messages: [{ role: 'user', content: 'Another question?' }] },
          second!,
          ...rest,
        ]),
      }),
    ],
    [
      'what a prompt became in the template',
      'prompt-text',
      {
        ...whole,
        replies: whole.replies.map((row, i) => (i === 9 ? { ...row, promptDigest: 'x' } : row)),
      },
    ],
    [
      'the version of the judge',
      'judge-version',
      { ...whole, verdicts: whole.verdicts.map((row) => ({ ...row, judgeVersion: '2' })) },
    ],
    ['the longest reply', 'max-new-tokens', benchmarks({ maxNewTokens: 25 })],
    ['the temperature', 'temperature', benchmarks({ decoding: { ...GREEDY, temperature: 0.7 } })],
    ['the seed of what is drawn', 'seed', benchmarks({ decoding: { ...GREEDY, seed: 4 } })],
    [
      'how often a prompt was asked',
      'samples',
      {
        ...whole,
        replies: whole.replies.flatMap((row) => [row, { ...row, epoch: 1 }]),
        verdicts: whole.verdicts.flatMap((row) => [row, { ...row, epoch: 1 }]),
      },
    ],
  ]

  it.each(MUTATED)('%s: %s is caught, alone', (_, field, mutant) => {
    const base = { ...whole, benchmarks: benchmarks({ digest: digestOf(samples) }).benchmarks }
    const other =
      field === 'prompts'
        ? mutant
        : {
            ...mutant,
            benchmarks: mutant.benchmarks.map((row) => ({ ...row, digest: digestOf(samples) })),
          }
    const [one, two] = [base, other].map((rows) => storedStates(rows, 'out')[0]!)
    const { differences } = comparability(one!, two!, what)
    expect(differences.map((difference) => difference.field)).toEqual([field])
    expect(comparability(one!, one!, what).differences).toEqual([])
  })
})

describe('stored rows', () => {
  const rows = plannedRows({
    benchmarks: [REFUSAL],
    arms: [{ arm: 'lora', seed: 0, steps: { 40: { 'house-refusal': { lost: 2, gained: 0 } } } }],
  })

  it('bring every field, and states of one run agree in all of them', () => {
    const [base, arm] = storedStates(rows, 'out')
    const what = { benchmark: 'house-refusal', judge: 'house' }
    expect(comparability(base!, arm!, what)).toEqual({ differences: [], allowed: [], unknown: [] })
  })

  it('bring the deciding judge first, whatever its name', () => {
    const judged = plannedRows({
      benchmarks: [{ ...REFUSAL, judges: [{ name: 'a-second-judge', errs: 3 }] }],
      arms: [],
    })
    const verdicts = judged.verdicts.toSorted((a, b) => (a.judge < b.judge ? -1 : 1))
    expect(verdicts[0]!.judge).toBe('a-second-judge')
    expect(storedStates({ ...judged, verdicts }, 'out')[0]!.judged[0]!.judge).toBe('house')
  })

  it('leave unfinished evaluations out', () => {
    expect(
      storedStates({ ...rows, evaluations: rows.evaluations.slice(0, 1) }, 'out'),
    ).toHaveLength(1)
  })

  it('come with a digest of the prompts that sees their order', () => {
    const [one, two] = ['a', 'b'].map((id) => ({
      id,
      benchmark: 'b',
      category: 'c',
      messages: [{ role: 'user' as const, content: id }],
      expected: { kind: 'comply' as const },
    }))
    expect(benchmarkDigest([one!, two!])).not.toBe(benchmarkDigest([two!, one!]))
  })
})
