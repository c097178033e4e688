/** @file Thought and answer told apart, by markers that are text or special tokens, with a budget for each. */
import { describe, expect, test } from 'vitest'
import {
  budgetOf,
  markersIn,
  splitThought,
  thoughtAtEnd,
  type ReplyStart,
} from '../../../../evals/models/text/thoughts.ts'
import { wordTokenizer } from '../../../doubles/models/word-tokenizer.ts'

const own = { open: '<think>', close: '</think>' }
const OUTSIDE: ReplyStart = { own, isInside: false }
const INSIDE: ReplyStart = { own, isInside: true }
const UNKNOWN: ReplyStart = { isInside: false }

type Case = [
  what: string,
  start: ReplyStart,
  text: string,
  thought: string | null,
  answer: string,
  isFinished?: boolean,
]
const CASES: Case[] = [
  ['no thought', OUTSIDE, 'At seven.', null, 'At seven.'],
  ['a thought', OUTSIDE, '<think>\nThe pool.\n</think>\n\nAt seven.', 'The pool.', 'At seven.'],
  ['an empty thought', OUTSIDE, '<think>\n\n</think>\n\nAt seven.', '', 'At seven.'],
  [
    'a thought that the prompt opened',
    INSIDE,
    'The pool.</think>At seven.',
    'The pool.',
    'At seven.',
  ],
  [
    'a closing marker that nothing opened',
    OUTSIDE,
    'The pool.\n</think>\nAt seven.',
    null,
    'The pool.\n</think>\nAt seven.',
  ],
  ['a thought that never ends', OUTSIDE, '<think>The pool', 'The pool', '', false],
  ['one that the prompt opened and never ends', INSIDE, 'The pool', 'The pool', '', false],
  ['two thoughts', OUTSIDE, '<think>a</think>\n<think>b</think>c', 'a', '<think>b</think>c'],
  ['a second one that never ends', OUTSIDE, '<think>a</think>\n<think>b', 'a', '<think>b'],
  [
    'a closing marker in the answer',
    OUTSIDE,
    '<think>a</think>Write </think> here',
    'a',
    'Write </think> here',
  ],
  ['markers inside the answer', OUTSIDE, 'Write <think> first', null, 'Write <think> first'],
  ['markers that a fine-tune has learnt', UNKNOWN, '<think>a</think>b', 'a', 'b'],
  ['a stray closing marker of another model', UNKNOWN, 'a</think>b', null, 'a</think>b'],
]

describe.each([
  ['text', wordTokenizer()],
  ['special tokens', wordTokenizer(['<think>', '</think>'])],
])('markers that are %s', (_, tokenizer) => {
  test.each(CASES)('%s', (_, start, text, thought, answer, isFinished = true) => {
    const found = splitThought(tokenizer, tokenizer.encode(text), start)
    expect(found.answer).toBe(answer)
    expect(found.thought?.text ?? null).toBe(thought)
    if (found.thought) expect(found.thought.isFinished).toBe(isFinished)
  })

  test('counts the tokens of the thought with its markers', () => {
    const thought = '<think>The pool.</think>'
    const ids = tokenizer.encode(`${thought}At seven.`)
    const { tokens } = splitThought(tokenizer, ids, OUTSIDE).thought!
    expect(tokens).toBe(tokenizer.encode(thought).length)
  })

  test.each([
    ['an endless thought', OUTSIDE, `<think>${'a '.repeat(50)}`, 12],
    ['an endless thought of the prompt', INSIDE, 'a '.repeat(50), 12],
    ['an endless answer', OUTSIDE, 'b '.repeat(50), 5],
  ] as const)('%s ends with its budget', (_, start, text, most) => {
    const isEnough = budgetOf(tokenizer, start, { answer: 5, thought: 12 })
    expect(tokenizer.encode(text).findIndex((id) => isEnough(id)) + 1).toBe(most)
  })

  test('an answer has its whole budget after a thought', () => {
    const isEnough = budgetOf(tokenizer, OUTSIDE, { answer: 5, thought: 12 })
    const thought = tokenizer.encode('<think>a b</think>')
    const answer = tokenizer.encode('c '.repeat(20))
    expect(thought.some((id) => isEnough(id))).toBe(false)
    expect(answer.findIndex((id) => isEnough(id)) + 1).toBe(5)
  })
})

test('what a prompt ends in is read after the question alone', () => {
  expect(thoughtAtEnd('ask<think>\n', own)).toBe('open')
  expect(thoughtAtEnd('ask<think>\n\n</think>\n\n', own)).toBe('closed')
  expect(thoughtAtEnd('what is <think>?', own, 15)).toBe('none')
})

test('a template’s own markers are found in it', () => {
  expect(markersIn("{{ '[THINK]' }}{{ '[/THINK]' }}")).toEqual({
    open: '[THINK]',
    close: '[/THINK]',
  })
  expect(markersIn('{{ messages[0].content }}')).toBeUndefined()
})
