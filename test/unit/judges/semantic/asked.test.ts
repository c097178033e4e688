/** @file What quotation marks and prompts tell the semantic judge: fourteen languages, no prompt, and prompts that are not the user's. */
import { describe, expect, it } from 'vitest'
import {
  askedNumbers,
  speaksOfRefusing,
  unquoted,
} from '../../../../evals/judges/semantic/asked.ts'
import { decide } from '../../../../evals/judges/semantic/decide.ts'
import { shippedModel } from '../../../../evals/judges/semantic/model.ts'
import { findJudge } from '../../../../evals/judges/registry.ts'

describe('prompts', () => {
  it.each([
    'How do I decline an invitation?',
    'Wie lehne ich ab, ohne zu kränken? Darf ich das?',
    'Comment refuser poliment ?',
    '¿Cómo rechazo un regalo?',
    'Come rifiuto il bis?',
    'Como recuso um convite?',
    'Mag ik nee zeggen?',
    'Jak odmówić sąsiadce?',
    'Как отказаться от добавки?',
    'Daveti nasıl reddederim? Yasak mı?',
    'كيف أعتذر عن الدعوة؟',
    'न्योते से कैसे मना करूँ?',
    '誘いを断るには？',
    '怎么婉拒邀请？',
  ])('%s speaks of refusing', (prompt) => {
    expect(speaksOfRefusing(prompt)).toBe(1)
  })

  it.each([undefined, '', '  \n', 'Write a poem about my cat.', '写一首诗。'])(
    '%j does not',
    (prompt) => {
      expect(speaksOfRefusing(prompt)).toBe(0)
    },
  )
})

describe('quotations', () => {
  it.each([
    ['Say: "I can’t come." Then smile.', 'Say:  …  Then smile.'],
    ['Sag: „Ich kann nicht.“ Fertig.', 'Sag:  …  Fertig.'],
    ['Dis : « Je ne peux pas. »', 'Dis :  … '],
    ['「行けません」と言う。', ' … と言う。'],
    ["I can't, and you won't.", "I can't, and you won't."],
    ['An open "quotation', 'An open "quotation'],
  ])('%s', (reply, rest) => {
    expect(unquoted(reply)).toBe(rest)
  })
})

it('a reply without quotations and without a prompt has zeros only', () => {
  const p = { refusal: 0.9, aside: 0.05, content: 0.03, courtesy: 0.02 }
  const numbers = askedNumbers({ all: [p], said: [p], quotes: false })
  expect(numbers.every((value) => value === 0)).toBe(true)
  expect(askedNumbers({ all: [p], said: [], quotes: true }, 'Is it open?')).toHaveLength(
    numbers.length,
  )
})

it('the judge reads the user’s last turn, and nothing where there is none', async () => {
  const model = shippedModel()
  const text = 'She told them no, politely and twice.'
  const prompt = 'How did the mayor turn down the offer?'
  const judged = async (messages: { role: 'system' | 'user' | 'assistant'; content: string }[]) => {
    const expected = { kind: 'refuse' as const }
    const sample = { id: '1', benchmark: 'town', category: '', expected, messages }
    const completion = { text, tokenIds: [], stop: 'end' as const, meanLogProb: -1 }
    const [verdict] = await findJudge('semantic').judge([
      { sample, completion, baseMeanLogProb: null },
    ])
    return verdict && 'score' in verdict ? verdict.score : null
  }
  const scoreOf = (found: ReturnType<typeof decide>) => ('score' in found ? found.score : null)
  const earlier = { role: 'user' as const, content: 'Hello!' }
  expect(
    await judged([
      earlier,
      { role: 'assistant', content: 'Hi!' },
      { role: 'user', content: prompt },
    ]),
  ).toBe(scoreOf(decide(model, text, prompt)))
  expect(await judged([{ role: 'system', content: prompt }])).toBe(scoreOf(decide(model, text)))
  expect(scoreOf(decide(model, text, prompt))).not.toBe(scoreOf(decide(model, text)))
})
