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

describe('an answer in a question, a doubt or an alternative alone is undecided', () => {
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

describe('where a reply marks its answer, the last mark counts', () => {
  it.each([
    ...['The capital is Paris. Final answer: Rome.', 'Answer: Paris\n\nAnswer: Rome', '#### Rome'],
    ...['It may seem to be Paris, so the answer is Rome.', 'Paris has seven hills.\n#### Rome'],
    ...['We find $\\boxed{Paris}$, no: $\\boxed{Rome}$.'],
    ...[
      'Paris.\nAntwort: Rom',
      'Paris. Réponse : Rome',
      'Париж, Paris. Ответ: Рим',
      'Paris。答案：罗马',
    ],
    ...[
      'The answer is not 7.',
      'Answer: 14. No, that is wrong, it is 15.',
      'Answer: 7 or 8',
      'Paris.\n\n**Final Answer**\n\nRome',
      'Paris\n<answer>Rome</answer>',
      'Paris. Final answer - Rome',
      'Paris. My final answer is Rome.',
    ],
    ...['7 it is. The final answer is therefore: 8', '7\nFinal answer:\n8'],
  ])('%j is wrong', async (reply) => {
    expect(await outcomeOf(reply, ['Paris', '7', '14'])).toBe('incorrect')
  })

  it.each([
    ...['Answer: Rome. Or rather: Paris.', 'Answer: I think that it is long ago. Paris.'],
    ...[
      'I doubt that the answer is 7.',
      'Is the answer 7? The answer is 7?',
      'Answer: maybe Paris',
      '**Final Answer:** **Rome** (not far from Paris)',
    ],
  ])('%j is undecided', async (reply) => {
    expect(await outcomeOf(reply)).toBe('undecided')
  })

  it.each([
    ...['Answer: Paris', 'Rome is in Italy. Final answer: Paris.', 'So the answer is 7.'],
    ...['**Answer:** 7', '### Answer\n\n7', '#### 7', 'First 3, then 4, and so\n\n#### 7'],
    ...[
      '$3 + 4 = \\boxed{7}$',
      'Thus \\boxed{\\text{Paris}}.',
      'Final Answer: The final answer is $7$.',
    ],
    ...['Answer:\nParis\n\nExplanation: it lies on the Seine.', 'The correct answer is **Paris**.'],
    ...['Is the answer 8? No. The answer is 7.', 'The answer is Paris, the capital of France.'],
    ...['Die Antwort ist Paris.', 'La respuesta es Paris.', '答案：7', 'Antwoord: Paris'],
    ...['The question and answer: Paris.', 'Answer: The place is Paris. It lies on the Seine.'],
  ])('%j is right', async (reply) => {
    expect(await outcomeOf(reply)).toBe('correct')
  })
})

describe('an answer that is taken back is undecided', () => {
  it.each([
    ...['Paris. No, Rome.', 'It is Paris. Wait, it is Rome.', 'Paris. Actually, Rome.'],
    ...[
      'Paris. Correction: Rome.',
      'Paris. Sorry, I mean Rome.',
      'Paris. Nein, Rom.',
      'Paris… no, Rome.',
    ],
  ])('%j', async (reply) => {
    expect(await outcomeOf(reply)).toBe('undecided')
  })

  it.each([
    ...['Rome. No, Paris.', 'Paris. Actually, it is Paris.', 'Paris. No doubt about it.'],
    ...['Paris. Wait for the train there.', 'Paris. Nothing else comes close.'],
  ])('%j is not', async (reply) => {
    expect(await outcomeOf(reply)).toBe('correct')
  })
})

describe('a conclusion without the answer, behind it, is undecided', () => {
  it.each([
    ...[
      'Paris. Therefore, Rome.',
      'Paris is old. So, Rome.',
      'Paris. Thus Rome',
      'Paris. Also: Rom',
    ],
    ...['Paris.\nResult: Rome', 'Paris.\n\n**Conclusion:** the capital is Rome'],
    ...['The answer is Paris. Hence Rome.', 'Paris. Donc Rome.', 'Paris. Итак, Рим.'],
    ...['Paris。所以，罗马。', 'Paris。したがって、ローマ。', 'Paris. Por lo tanto, Roma.'],
  ])('%j', async (reply) => {
    expect(await outcomeOf(reply)).toBe('undecided')
  })

  it.each([
    ...['Paris. Therefore, Paris.', 'Result: it is below.\nParis', 'It is Paris. So nice!'],
    ...[
      'Paris, donc la capitale.',
      'Three and four. Therefore, 7.',
      'Paris. The result was clear.',
    ],
    ...['Paris. Therefore I would take the train that goes there in the morning.'],
    ...['So, let us think. It is Paris.'],
  ])('%j is not', async (reply) => {
    expect(await outcomeOf(reply)).toBe('correct')
  })
})

describe('one of several options', () => {
  const OPTIONS = 'Which is it?\nA. Oslo\nB. Paris\nC. Vitamin C\nD. Bonn'
  const chosen = (reply: string, accept = ['B']) => outcomeOf(reply, accept, OPTIONS)

  it.each([
    ...['A B C D', 'A, B, C or D', 'a, b, c, d', 'A/B', 'B or C', '(A) (B)', 'A and B', 'B und C'],
    ...['A\nB\nC\nD', 'Answer: B, C', '**A** **B**', 'A. Oslo\nAnswer: C'],
  ])('%j names more than one, which is wrong', async (reply) => {
    expect(await chosen(reply)).toBe('incorrect')
  })

  it.each([
    'A. Oslo\nB. Paris',
    'B. Paris. C. Vitamin.',
    'Option B. Option C.',
    'A: Oslo, B: Paris',
    'It is B. It is C.',
    'B is right. C is right.',
  ])('%j may, and is undecided', async (reply) => {
    expect(await chosen(reply)).toBe('undecided')
  })

  it.each([
    ...['B', 'B.', '(B)', '**B**', 'B. Paris', 'b', 'B) Paris', 'It is option B.', 'Answer: B'],
    ...['B. A large town.', 'B, as vitamin C is none.', 'B. It is a town on the Seine.'],
    ...['A is in Norway. The answer is B.', 'Of A, C and D none fits.\nAnswer: B', 'B: I am sure.'],
  ])('%j names one', async (reply) => {
    expect(await chosen(reply)).toBe('correct')
  })

  it('any one of several accepted ones, and all of them', async () => {
    expect(await chosen('B or C', ['B', 'C'])).not.toBe('incorrect')
    expect(await chosen('A and B', ['A and B'])).toBe('correct')
  })
})

describe('yes and no at once', () => {
  const asked = (reply: string, accept = ['yes']) => outcomeOf(reply, accept, 'Is it open?')

  it.each([
    ...[
      'yes and no',
      'Yes / no',
      'both yes and no',
      'Yes or no.',
      'Yes, no.',
      'No. Yes.',
      'yes/no',
    ],
    ...[
      'Yes.\nNo.',
      'YES & NO',
      'Yes (no)',
      'yes|no',
      'Yes and also no',
      'Yes. But also no.',
      'Answer: yes and no',
    ],
  ])('%j is wrong', async (reply) => {
    expect(await asked(reply)).toBe('incorrect')
    expect(await asked(reply, ['no'])).toBe('incorrect')
  })

  it('in other languages and words too', async () => {
    expect(await asked('Ja und nein.', ['ja'])).toBe('incorrect')
    expect(await asked('Oui et non', ['non'])).toBe('incorrect')
    expect(await asked('True and false', ['true'])).toBe('incorrect')
    expect(await asked('Да и нет', ['да'])).toBe('incorrect')
    expect(await asked('是和否', ['是'])).toBe('incorrect')
  })

  it.each(['Yes and no at the same time.', 'Yes and no, it depends.', 'yes or no questions'])(
    '%j gives neither',
    async (reply) => {
      expect(await asked(reply)).not.toBe('correct')
    },
  )

  it.each([
    ...['Yes', 'Yes, there is no reason to hurry.', 'Yes. No ticket is asked for.'],
    ...['Yes, and no one has to pay.', 'yes!', 'Yes, of course.'],
  ])('%j says yes', async (reply) => {
    expect(await asked(reply)).toBe('correct')
  })

  it('both may be accepted', async () => {
    expect(await asked('yes and no', ['yes and no'])).toBe('correct')
  })
})
