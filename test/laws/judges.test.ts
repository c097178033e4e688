/** @file What every judge promises: one verdict an answer, in order, the same each time, and never a throw. */
import { describe, expect, it } from 'vitest'
import { Verdict } from '../../evals/contract/rows.ts'
import type { Expected } from '../../evals/contract/rows.ts'
import type { Answer, Judge, JudgeContext } from '../../evals/judges/judge.ts'
import { findJudge, JUDGES } from '../../evals/judges/registry.ts'
import { fc } from '../doubles/properties.ts'

const phrase = fc.constantFrom(
  "I'm sorry, but I can't help with that.",
  'Sure, the room is on the second floor.',
  'I can’t assist with that.',
  'asdf asdf asdf asdf asdf asdf asdf asdf asdf asdf asdf',
  '14.',
  '\ud800',
  '\u0000',
  ' ',
)
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc
    .array(fc.nat({ max: 0xffff }), { maxLength: 50 })
    .map((units) => String.fromCharCode(...units)),
  fc.array(phrase, { maxLength: 5 }).map((parts) => parts.join(' ')),
)
const expected: fc.Arbitrary<Expected> = fc.oneof(
  fc.constant<Expected>({ kind: 'refuse' }),
  fc.constant<Expected>({ kind: 'comply' }),
  fc
    .array(text, { minLength: 1, maxLength: 3 })
    .map((accept): Expected => ({ kind: 'answer', accept })),
  fc.constant<Expected>({ kind: 'choice', options: ['one', 'two'], correct: 1 }),
  fc.constant<Expected>({ kind: 'values', target: [1, 2], within: 0.5, unit: 'cm' }),
)
const answers: fc.Arbitrary<Answer[]> = fc.array(
  fc.record({ reply: text, question: text, expected }).map(({ reply, question, expected }) => ({
    sample: {
      id: '1',
      benchmark: 'hotel',
      category: 'any',
      messages: [{ role: 'user' as const, content: question }],
      expected,
    },
    completion: { text: reply, tokenIds: [], stop: 'end' as const, meanLogProb: -1 },
    baseMeanLogProb: null,
  })),
  { maxLength: 6 },
)

/** Undecided is what hides text. */
const STRING_RULES = ['refusal', 'compliance', 'degenerate', 'undecided']
const OUTCOMES: Record<Expected['kind'], readonly string[]> = {
  refuse: STRING_RULES,
  comply: STRING_RULES,
  answer: ['correct', 'incorrect', 'degenerate', 'undecided'],
  // Without log-probabilities of the options there is nothing to say.
  choice: ['undecided'],
  // Nor without numbers of a network.
  values: ['undecided'],
}

/** Longer continuations are less probable, but for a prompt's own letters. */
const context: JudgeContext = {
  signal: new AbortController().signal,
  subject: {
    continuations: async (items) =>
      items.map(({ before, continuation }) => ({
        logProbs: Float32Array.of(-continuation.length / (1 + before.length)),
      })),
    replyStartScores: async (befores, openings) =>
      befores.map(({ before }) =>
        openings.map((opening) => Float32Array.of(-opening.length / (1 + before.length))),
      ),
    complete: async (items) => items.map(() => ''),
    clip: (text) => text,
    fits: async () => true,
  },
}

/** Judges that may also call a reply partial. */
const GRADED: ReadonlySet<string> = new Set(['semantic'])
/** Judges that look at no reply. */
const WITHOUT_REPLY: ReadonlySet<string> = new Set([
  'refusal-logprob',
  'choice',
  'choice-norm',
  'nearness',
])

async function checkVerdicts(judge: Judge, batch: Answer[]): Promise<void> {
  const verdicts = await judge.judge(batch, context)
  expect(verdicts).toHaveLength(batch.length)
  expect(await judge.judge(batch, context)).toEqual(verdicts)
  for (const [i, verdict] of verdicts.entries()) {
    const { sample, completion } = batch[i]!
    Verdict.parse(verdict)
    expect([verdict.judge, verdict.judgeVersion]).toEqual([judge.name, judge.version])
    // In order: each verdict is the one that its answer gets alone.
    expect(await judge.judge([batch[i]!], context)).toEqual([verdict])
    if (!judge.applies(sample.expected)) {
      expect(verdict.outcome).toBe('undecided')
      continue
    }
    const graded = GRADED.has(judge.name) ? ['partial'] : []
    expect([...OUTCOMES[sample.expected.kind], ...graded]).toContain(verdict.outcome)
    if (completion.text.trim() === '' && !WITHOUT_REPLY.has(judge.name))
      expect(verdict.outcome).toBe('degenerate')
  }
}

describe.each(JUDGES.map((judge) => [judge.name, judge] as const))(
  'the judge %s',
  (name, judge) => {
    it('gives one verdict an answer, in order, the same each time, and never throws', async () => {
      await fc.assert(fc.asyncProperty(answers, (batch) => checkVerdicts(judge, batch)))
    })

    it('has a name that finds it, a title, a citation and a version', () => {
      expect(findJudge(name)).toBe(judge)
      expect(name).toMatch(/^[a-z0-9.]+(-[a-z0-9.]+)*$/)
      expect(judge.title).not.toBe('')
      expect(judge.citation).not.toBe('')
      expect(judge.version).toMatch(/^[0-9a-f]{12}$/)
    })

    it('applies to some prompts and not to all', () => {
      const kinds: Expected[] = [
        { kind: 'refuse' },
        { kind: 'comply' },
        { kind: 'answer', accept: ['14'] },
        { kind: 'choice', options: ['one', 'two'], correct: 0 },
        { kind: 'values', target: [0], within: 1, unit: 'cm' },
      ]
      const applying = kinds.filter((kind) => judge.applies(kind)).length
      expect(applying).toBeGreaterThan(0)
      expect(applying).toBeLessThan(kinds.length)
    })
  },
)

it('names are unique', () => {
  expect(new Set(JUDGES.map((judge) => judge.name)).size).toBe(JUDGES.length)
})
