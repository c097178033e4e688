/** @file Each field that must agree is changed once, alone, and is caught and named; nothing else is. */
import { describe, expect, it } from 'vitest'
import { benchmarkDigest } from '../../../evals/benchmarks/load-bundled.ts'
import { COMPARED_FIELDS, type ComparedField } from '../../../evals/contract/gate.ts'
import { comparability, differenceText } from '../../../evals/gate/comparability.ts'
import type { ComparedRun, Decoding } from '../../../evals/gate/compared-run.ts'
import { storedStates } from '../../../evals/gate/stored-run.ts'
import { plannedRows, REFUSAL } from '../../doubles/audit-rows.ts'
import { planted, plannedRun } from '../../doubles/compared-runs.ts'

const run = plannedRun({ rates: { refusals: { role: 'refusal', counts: planted(20, 18) } } })
const WHAT = { benchmark: 'refusals', judge: 'house' }

const withDecoding = (change: Partial<Decoding>): ComparedRun => ({
  ...run,
  benchmarks: run.benchmarks.map((row) => ({ ...row, decoding: { ...row.decoding, ...change } })),
})

const MUTANTS: Readonly<Record<ComparedField, ComparedRun>> = {
  template: { ...run, templateDigest: 'template-2' },
  tokenizer: { ...run, tokenizerDigest: 'tokenizer-2' },
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
  temperature: withDecoding({ temperature: 0.7 }),
  seed: withDecoding({ seed: 1 }),
}

it('the same run twice differs in nothing', () => {
  expect(comparability(run, run, WHAT)).toEqual({ differences: [], allowed: [], unknown: [] })
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
