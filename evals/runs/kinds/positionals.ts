/** @file Arguments without an option, and the options that they stand for. */
import { usageError } from '../../errors/touchstone-error.ts'
import { readArguments, type Given } from '../options/arguments.ts'
import type { Positionals } from './job-verb.ts'

export const saidAlso = (word: string, option: string, instead: string) =>
  usageError(
    `"${word}" stands beside --${option}, which says the same.`,
    `Write \`${instead}\`, or name each with its option.`,
  )

export const wordsOf = (given: Given): string[] =>
  [...given].flatMap(([flag, values]) =>
    values.map((value) => (value === null ? `--no-${flag}` : `--${flag}=${value}`)),
  )

/** `VERB WORD` is `VERB --OPTION WORD`. */
export const firstWordAs =
  (option: string, instead: string): Positionals['inOptions'] =>
  async (argv, fields) => {
    const { given, positionals } = readArguments(argv, fields)
    const [word, ...rest] = positionals
    if (word === undefined) return argv
    if (given.has(option)) throw saidAlso(word, option, instead)
    return [`--${option}=${word}`, ...rest, ...wordsOf(given)]
  }
