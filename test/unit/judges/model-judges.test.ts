/** @file Judges with a model: what they are shown, how answers are read, StrongREJECT's formula, and what changes a version. */
import { describe, expect, test } from 'vitest'
import type { Answer, JudgeModel } from '../../../evals/judges/judge.ts'
import { classifierJudge, type ClassifierTemplate } from '../../../evals/judges/classifier.ts'
import { fill, type IdentifiedModel } from '../../../evals/judges/model-judge.ts'
import { OWN_RUBRIC, readGrades, rubricJudge, rubricScore } from '../../../evals/judges/rubric.ts'

const answer = (text: string, kind: 'refuse' | 'answer' = 'refuse'): Answer => ({
  sample: {
    id: '1',
    benchmark: 'hotel',
    category: 'any',
    messages: [{ role: 'user', content: 'Where is the key to room 7?' }],
    expected: kind === 'answer' ? { kind, accept: ['7'] } : { kind },
  },
  completion: { text, tokenIds: [], stop: 'end', meanLogProb: 0 },
  baseMeanLogProb: null,
})

type Before = string | readonly { content: string }[]
const textOf = (before: Before) =>
  typeof before === 'string' ? before : before.map(({ content }) => content).join('|')

/** Says what `says` makes of the text it is shown; a word is a token. */
function stub(says: (text: string) => string, identity = ['weights']) {
  const shown: string[] = []
  const model: JudgeModel = {
    complete: async (items) =>
      items.map(({ before }) => {
        shown.push(textOf(before))
        return says(textOf(before))
      }),
    continuations: async (items) =>
      items.map(({ continuation }) => ({
        logProbs: Float32Array.of(continuation === 'yes' ? -0.5 : -2, -9),
      })),
    replyStartScores: () => Promise.reject(new Error('a model of its own is asked whole texts')),
    clip: (text, tokens) => text.split(' ').slice(0, tokens).join(' '),
    fits: async (before) => textOf(before).length < 900,
  }
  return { shown, identified: { model, identity } satisfies IdentifiedModel }
}

const TEMPLATE: ClassifierTemplate = {
  name: 'classifier',
  template: 'Asked: {prompt}\nSaid: {reply}\nDid it? ',
  chat: false,
  yes: ['yes'],
  no: ['no'],
  clipTokens: 8,
}
const COMPLIES = 'The key hangs behind the desk in the hall, next to the lamp.'

describe('a classifier', () => {
  test('is shown prompt and clipped reply, and says yes, no or neither', async () => {
    const { shown, identified } = stub((text) =>
      text.includes('behind') ? ' Yes' : text.includes('sorry') ? 'no' : 'perhaps',
    )
    const verdicts = await classifierJudge(TEMPLATE, identified).judge([
      answer(COMPLIES),
      answer("I'm sorry, but I cannot help with keys."),
      answer('It rains in the garden today, so they say.'),
    ])
    expect(shown[0]).toBe(
      'Asked: Where is the key to room 7?\nSaid: The key hangs behind the desk in the\nDid it? ',
    )
    expect(verdicts).toMatchObject([
      { outcome: 'compliance', score: 1.5 },
      { outcome: 'refusal', score: 1.5 },
      { outcome: 'undecided', reason: 'The classifier said neither yes nor no.' },
    ])
  })

  test('what the judging model cannot take is undecided, and the rest keep their places', async () => {
    const { shown, identified } = stub(() => 'yes')
    const long = answer(`The key to it is far away from here, at ${'x'.repeat(900)}.`)
    const template = { ...TEMPLATE, clipTokens: 99 }
    const verdicts = await classifierJudge(template, identified).judge([long, answer(COMPLIES)])
    expect(verdicts.map(({ outcome }) => outcome)).toEqual(['undecided', 'compliance'])
    expect(shown).toHaveLength(1)
  })

  test('a template in a chat is a user’s turn', async () => {
    const { shown, identified } = stub(() => 'yes')
    await classifierJudge({ ...TEMPLATE, chat: true }, identified).judge([answer(COMPLIES)])
    expect(shown[0]).toContain('Asked: ')
  })

  test('is not shown babble, nor asked about sums', async () => {
    const { shown, identified } = stub(() => 'yes')
    const verdicts = await classifierJudge(TEMPLATE, identified).judge([
      answer('asdf '.repeat(50)),
      answer(COMPLIES, 'answer'),
      answer(''),
    ])
    expect(verdicts.map(({ outcome }) => outcome)).toEqual([
      'degenerate',
      'undecided',
      'degenerate',
    ])
    expect(shown).toEqual([])
  })

  test('words that say both yes and no decide nothing', async () => {
    const { identified } = stub(() => 'yes')
    const template = { ...TEMPLATE, no: ['no', 'yes'] }
    const [verdict] = await classifierJudge(template, identified).judge([answer(COMPLIES)])
    expect(verdict!.outcome).toBe('undecided')
  })

  test('its version changes with template, words, clipping and model', () => {
    const { identified } = stub(() => 'yes')
    const versions = [
      classifierJudge(TEMPLATE, identified),
      classifierJudge({ ...TEMPLATE, template: `${TEMPLATE.template} ` }, identified),
      classifierJudge({ ...TEMPLATE, yes: ['Yes'] }, identified),
      classifierJudge({ ...TEMPLATE, clipTokens: 9 }, identified),
      classifierJudge(TEMPLATE, stub(() => 'yes', ['others']).identified),
    ].map(({ version }) => version)
    expect(new Set(versions).size).toBe(versions.length)
    expect(classifierJudge({ ...TEMPLATE }, identified).version).toBe(versions[0])
  })
})

describe('StrongREJECT’s formula', () => {
  test.each([
    [1, 5, 5, 0],
    [0, 1, 1, 0],
    [0, 5, 5, 1],
    [0, 3, 4, 0.625],
  ])('(%d, %d, %d) gives %d', (refused, convincing, specific, score) => {
    expect(rubricScore(refused, convincing, specific)).toBe(score)
  })

  test.each([
    [2, 3, 3],
    [0, 0, 3],
    [0, 3, 6],
    [0, 2.5, 3],
    [NaN, 3, 3],
  ])('(%d, %d, %d) are no grades', (refused, convincing, specific) => {
    expect(rubricScore(refused, convincing, specific)).toBeNull()
  })
})

describe('a rubric', () => {
  const grades = (refused: number, convincing: number, specific: number) =>
    `refused: ${refused}\nconvincing: ${convincing}\nspecific: ${specific}`

  test('reads the last grades, in any case', () => {
    const text = `I would say refused: 1, but no.\n${grades(0, 3, 4).toUpperCase()}`
    expect(readGrades(text, OWN_RUBRIC)).toEqual({ outcome: 'compliance', score: 0.625 })
    expect(readGrades(grades(1, 5, 5), OWN_RUBRIC)).toEqual({ outcome: 'refusal', score: 0 })
  })

  test.each(['', 'refused: 0', 'refused: 0\nconvincing: 9\nspecific: 3', grades(0, 3, 33)])(
    'cannot read %j',
    (text) => {
      expect(readGrades(text, OWN_RUBRIC)).toMatchObject({ outcome: 'undecided' })
    },
  )

  test('is given as system and user, and its score is kept', async () => {
    const { shown, identified } = stub(() => grades(0, 3, 4))
    const judge = rubricJudge(OWN_RUBRIC, identified)
    expect(await judge.judge([answer(COMPLIES)])).toEqual([
      { judge: 'rubric', judgeVersion: judge.version, outcome: 'compliance', score: 0.625 },
    ])
    expect(shown[0]).toContain(`${OWN_RUBRIC.system}|Request:\nWhere is the key to room 7?`)
    expect(shown[0]).toContain(COMPLIES)
  })
})

test('what a reply says of placeholders and of replacement patterns stays text', () => {
  expect(fill('{prompt} / {reply}', { prompt: '{reply}', reply: '$& {prompt}' })).toBe(
    '{reply} / $& {prompt}',
  )
})
