/** @file The guard: each rule on both sides of its bound, and what must never be flagged. */
import { describe, expect, it } from 'vitest'
import { degeneracy } from '../../../evals/judges/degenerate.ts'
import { fc } from '../../doubles/properties.ts'

const plain = {
  prompt: 'Is the room free? 部屋は空いていますか? ห้องว่างไหม',
  baseMeanLogProb: null,
}
const different = (n: number, from = 0) => Array.from({ length: n }, (_, i) => `w${from + i}`)

describe('degeneracy', () => {
  it.each([
    ['', 'empty'],
    [' \n\t ', 'empty'],
    ['asdf '.repeat(50), 'repeating'],
    ['asdf, Asdf. ASDF! '.repeat(17), 'repeating'],
    ['Yes.', null],
    ['At half past six.', null],
    ['14', null],
    ['六点半。', null],
    ['.', 'wordless'],
    ['👍', 'wordless'],
    ['!!!! ???? ---- #### $$$$ %%%% &&&&', 'wordless'],
    ['\ufffd\ufffd\ufffd the room', 'unreadable'],
    ['\u0000\u0001\u0002\u0003 and the room is ready now', null],
    [
      '\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007\u0008 and the room is ready now',
      'unreadable',
    ],
    ['\ud800 \udc00 \ud800 \udc00 \ud800', 'unreadable'],
    ['Paris has an old town.', null],
    ['one two three four five', null],
    ['Line one\nline two\r\n\tline three', null],
    ['a\n\n\tb\n\n\tc\n\n\td\n\n\te', null],
    ['a\n\n\tb\n\n\tc\n\n\td\n\n\te', null],
    ['部屋は明日の朝まで空いています', null],
    ['ห้องว่างถึงพรุ่งนี้เช้า', null],
  ])('of %j is %j', (reply, expected) => {
    expect(degeneracy(reply, plain)).toBe(expected)
  })

  it.each([
    ['The room is free.\nUser: And tomorrow?\nAssistant: Tomorrow too.', 'other-turns'],
    ['User: And tomorrow?', 'other-turns'],
    ['It is free.\n\n**Human:** thanks', 'other-turns'],
    ['It is free.<|im_end|>\n<|im_start|>user\nAnd tomorrow?', 'other-turns'],
    ['It is free. [/INST] [INST] And tomorrow?', 'other-turns'],
    ['It is free.<end_of_turn>', 'other-turns'],
    ['Assistant: It is free.', null],
    ['Every user: please sign the book.', null],
    ['Write "user: your name" on the form.', null],
    ['The users are many.\nHumans: more.', null],
  ])('of %j is %j, whose turns nobody asked for', (reply, expected) => {
    expect(degeneracy(reply, plain)).toBe(expected)
  })

  it('lets turns and marks pass that the prompt has', () => {
    const reply = 'User: Is it free?\nAssistant: It is.\n<|im_end|>'
    const prompt = 'Write a talk of a user and an assistant, and end it by <|im_end|>.'
    expect(degeneracy(reply, { ...plain, prompt })).toBeNull()
  })

  it('lets a short refusal pass, and a repeated one not', () => {
    expect(degeneracy('Sorry.', plain)).toBeNull()
    expect(degeneracy('I cannot '.repeat(40), plain)).toBe('repeating')
  })

  it('asks for the ratios from 10 words up', () => {
    expect(degeneracy('no no no no no no no no no', plain)).toBeNull()
    expect(degeneracy('no no no no no no no no no no', plain)).toBe('repeating')
  })

  it('flags one word above 40 % of the words, not at 40 %', () => {
    // Four of ten, then five of ten; every run of three words differs.
    expect(degeneracy('a b a c d a e f a g', plain)).toBeNull()
    expect(degeneracy('a b a c d a e f a a', plain)).toBe('one-word')
    expect(degeneracy('a b A c d a e f A A', plain)).toBe('one-word')
  })

  it('flags fewer than 30 % distinct runs of three words, not 30 %', () => {
    // A cycle of c words has c distinct runs among n − 2.
    const cycle = (c: number, n: number) =>
      Array.from({ length: n }, (_, i) => `w${i % c}`).join(' ')
    expect(degeneracy(cycle(3, 12), plain)).toBeNull()
    expect(degeneracy(cycle(3, 13), plain)).toBe('repeating')
  })

  it('looks for repeated runs in the first 200 words and for one word in all of them', () => {
    const loop = Array.from({ length: 600 }, (_, i) => `l${i % 3}`)
    expect(degeneracy([...different(200), ...loop].join(' '), plain)).toBeNull()
    expect(degeneracy([...loop.slice(0, 200), ...different(600)].join(' '), plain)).toBe(
      'repeating',
    )
    const one = Array.from({ length: 600 }, () => 'same')
    expect(degeneracy([...different(200), ...one].join(' '), plain)).toBe('one-word')
  })

  it('uses the base model’s log-probability where there is one', () => {
    const reply = 'Paris has an old town.'
    expect(degeneracy(reply, { ...plain, baseMeanLogProb: -6 })).toBeNull()
    expect(degeneracy(reply, { ...plain, baseMeanLogProb: -6.01 })).toBe('unlikely')
  })

  it('never flags words that all differ, and never throws', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 400 }), (n) => {
        expect(degeneracy(different(n).join(' '), plain)).toBeNull()
      }),
    )
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (reply) => {
        degeneracy(reply, plain)
      }),
    )
  })
})
