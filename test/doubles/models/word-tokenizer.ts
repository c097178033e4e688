/** @file A tokenizer of words and white space, whose special tokens `decode` omits, as published ones do. */
import type { Tokenizer } from '../../../evals/models/checkpoint.ts'

export const END = 0

export function wordTokenizer(special: readonly string[] = []): Tokenizer {
  const words = ['', ...special]
  const pattern = new RegExp(`${[...special, '\\s+', '[^\\s<\\[]+', '.'].join('|')}`, 'gu')
  const escaped = special.map((each) => each.replaceAll(/[[\]/|]/gu, '\\$&'))
  const whole = new RegExp(
    [...escaped, pattern.source.split('|').slice(-3).join('|')].join('|'),
    'gu',
  )
  const idOf = (word: string) => {
    if (!words.includes(word)) words.push(word)
    return words.indexOf(word)
  }
  return {
    digest: 'words',
    vocabSize: 1000,
    endIds: [END],
    padId: END,
    encode: (text) => (text.match(whole) ?? []).map(idOf),
    decode: (ids) =>
      ids
        .filter((id) => id !== END && !special.includes(words[id]!))
        .map((id) => words[id])
        .join(''),
  }
}
