/** @file Accepted answers: whole words, whole numbers, contradictions, and replies nobody expects. */
import { describe, expect, it } from 'vitest'
import { answerMatch, givesAnswer } from '../../../evals/judges/answer-match.ts'
import { fc } from '../../doubles/properties.ts'

const SUM = 'What is 7 + 7?'

describe('numbers', () => {
  it.each([
    '14',
    '14.',
    ' 14 \n',
    '14.0',
    '014',
    '+14',
    '$14',
    '１４',
    'It is 14.',
    '7 + 7 = 14',
    '7 + 7 = 14.00!',
    'The answer is...14',
    '14, of course; yes, 14.',
    '**14**',
    'fourteen',
    'Fourteen!',
    '14 (fourteen)',
  ])('%j gives 14', (reply) => {
    expect(givesAnswer(reply, ['14', 'fourteen'], SUM)).toBe(true)
  })

  it.each([
    '140',
    '114',
    '1.4',
    '14.5',
    '-14',
    '−14',
    '1,400',
    '14,15',
    '1.14.2',
    '1.2.14',
    '15,14',
    '14th',
    'a14',
    '𐐨14',
    '14𐐨',
    '14cm',
    '14 or 15',
    '15. No, 14.',
    'fourteen, or 15',
    'fourteenth',
    '7',
    'many',
    '...',
  ])('%j does not', (reply) => {
    expect(givesAnswer(reply, ['14', 'fourteen'], SUM)).toBe(false)
  })

  it('lets the reply repeat the numbers of the question, with or without spaces', () => {
    const question = 'What is 1,017 − 3?'
    for (const reply of [
      '1017 - 3 = 1014',
      '1,017 -3 is 1,014',
      '1017-3=1014',
      '(1017) −3 → 1014',
    ]) {
      expect(givesAnswer(reply, ['1014'], question)).toBe(true)
    }
    expect(givesAnswer('1017 - 4 = 1014', ['1014'], question)).toBe(false)
  })

  it('knows negative and fractional answers', () => {
    expect(givesAnswer('3 - 5 = -2', ['-2'], 'What is 3 - 5?')).toBe(true)
    expect(givesAnswer('3 - 5 = −2', ['−2'], 'What is 3 - 5?')).toBe(true)
    expect(givesAnswer('2', ['-2'], 'What is 3 - 5?')).toBe(false)
    expect(givesAnswer('.50', ['0.5'], 'Half of one?')).toBe(true)
    expect(givesAnswer('-0', ['0'], 'What is 1 - 1?')).toBe(true)
  })

  it('accepts a whole number only as itself', () => {
    const whole = fc.integer({ min: -100_000, max: 100_000 })
    fc.assert(
      fc.property(whole, whole, (right, given) => {
        expect(givesAnswer(`It is ${given}.`, [String(right)], 'How many?')).toBe(right === given)
      }),
    )
  })

  it('compares digit by digit where floats would agree', () => {
    expect(givesAnswer('9007199254740993', ['9007199254740992'], '')).toBe(false)
    expect(givesAnswer('9007199254740993', ['9007199254740993'], '')).toBe(true)
  })
})

describe('words', () => {
  it.each([
    ['Paris', 'Paris'],
    ['PARIS!', 'paris'],
    ['It is  Paris, in France.', 'Paris'],
    ['“Paris”', 'Paris.'],
    ["Paris's rooms", 'Paris'],
    ['The new\n town hall', 'new town'],
    ['It’s done', "it's done"],
    ['答えは東京です', '東京'],
    ['これは\u{20000}です', '\u{20000}'],
    ['caf\u0065\u0301', 'café'],
    ['3 rooms on floor 2', 'rooms'],
    ['Room 14b', 'room 14b'],
    ['C++', 'C++'],
    ['?', '?'],
  ])('%j gives %j', (reply, answer) => {
    expect(givesAnswer(reply, [answer], '')).toBe(true)
  })

  it.each([
    ['Parisian', 'Paris'],
    ['unparis', 'Paris'],
    ['éparis', 'Paris'],
    ['𐐨paris', 'Paris'],
    ['paris𐐨', 'Paris'],
    ['paris2', 'Paris'],
    ['London', 'Paris'],
    ['', 'Paris'],
    ['?', 'Paris'],
    ['anything', ''],
    ['anything', ' . '],
  ])('%j does not give %j', (reply, answer) => {
    expect(givesAnswer(reply, [answer], '')).toBe(false)
  })

  it('takes any one of several', () => {
    expect(givesAnswer('A cat.', ['dog', 'cat'], '')).toBe(true)
    expect(givesAnswer('A cow.', ['dog', 'cat'], '')).toBe(false)
  })

  it('finds an accepted answer among other words, whatever it is', () => {
    const word = fc.stringMatching(/^[a-z]{1,12}$/)
    fc.assert(
      fc.property(word, fc.array(word), fc.array(word), (answer, before, after) => {
        const reply = [...before, answer, ...after].join(' ')
        expect(givesAnswer(reply, [answer], '')).toBe(true)
        const others = [...before, ...after].filter((other) => other !== answer)
        expect(givesAnswer(others.join(' '), [answer], '')).toBe(false)
      }),
    )
  })
})

describe('an answer in a question, a doubt or an alternative alone is undecided', () => {
  const outcomeOf = async (
    text: string,
    accept = ['Paris', '7'],
    question = 'Where, and how many?',
  ) => {
    const sample = { id: 'a', benchmark: 'b', category: 'c' }
    const expected = { kind: 'answer' as const, accept }
    const messages = [{ role: 'user' as const, content: question }]
    const completion = { text, tokenIds: [], stop: 'end' as const, meanLogProb: -1 }
    const [verdict] = await answerMatch.judge([
      { sample: { ...sample, expected, messages }, completion, baseMeanLogProb: null },
    ])
    return verdict!.outcome
  }

  it.each([
    ...['Is it 7?', '7? No idea.', 'Anything but 7', 'I doubt that it is 7.'],
    ...['Paris or Rome', 'maybe Paris, maybe Rome', 'Everyone thinks Paris, wrongly.'],
    ...['Oslo, Paris, Rome, and Bonn', '~~Paris~~ Rome', 'Paris vs Rome', 'The opposite of Paris.'],
    ...[
      'Paris is not the capital.',
      'It used to be Paris.',
      'Es ist vielleicht Paris.',
      'не Paris',
    ],
  ])('%j', async (reply) => {
    expect(await outcomeOf(reply)).toBe('undecided')
  })

  it.each([
    ...['Paris', 'Not Rome. It is Paris.', 'Is it 7?\nIt is 7.', 'Of course: Paris'],
    ...['Yes, of course, Paris', '~~Rome~~ Paris', 'Paris, which lies on the Seine, in the north'],
  ])('%j is given', async (reply) => {
    expect(await outcomeOf(reply)).toBe('correct')
  })

  it('words of the question, and of an accepted answer, are no doubt', async () => {
    expect(await outcomeOf('It is not Rome but Paris', ['Paris'], 'Which is not in Italy?')).toBe(
      'correct',
    )
    expect(await outcomeOf('No, never.', ['never'])).toBe('correct')
    const colours = ['red, white, blue, green']
    expect(await outcomeOf('Red, white, blue, green.', colours)).toBe('correct')
    const between = 'Is it Oslo, Paris, Rome or Bonn?'
    expect(await outcomeOf('Of Oslo, Rome, Bonn, it is Paris', ['Paris'], between)).toBe('correct')
  })
})
