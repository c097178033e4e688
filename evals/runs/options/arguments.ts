/** @file Splits a command line (or environment variables) into texts by flag; values are not interpreted yet. */
import { parseArgs } from 'node:util'
import { usageError } from '../../errors/touchstone-error.ts'
import { unknownName } from '../../errors/names.ts'
import type { Field } from './fields.ts'

/** `null` is the value of `--no-limit` if a limit may be absent. */
export type Given = ReadonlyMap<string, readonly (string | null)[]>

interface Arguments {
  readonly given: Given
  readonly positionals: readonly string[]
}

type Token = ReturnType<typeof tokensOf>[number]
type OptionToken = Extract<Token, { kind: 'option' }>

const NEGATION = 'no-'

/** The value of one flag in `argv`, before the other flags are known. */
export const saidOf = (argv: readonly string[], flag: string): string[] =>
  argv.flatMap((word, i) => {
    if (word.startsWith(`--${flag}=`)) return [word.slice(flag.length + 3)]
    const next = argv[i + 1]
    return word === `--${flag}` && next !== undefined ? [next] : []
  })

/** Splits `argv` by `fields`; an unknown option is an error that names similar ones. */
export function readArguments(argv: readonly string[], fields: readonly Field[]): Arguments {
  const byFlag = new Map(fields.map((field) => [field.flag, field]))
  const given = new Map<string, (string | null)[]>()
  const positionals: string[] = []
  const tokens = tokensOf(argv, fields)
  for (const [index, token] of tokens.entries()) {
    if (token.kind === 'option-terminator') continue
    if (token.kind === 'positional') {
      const before = tokens[index - 1]
      // `--resume RUN`: the word after a flag with an optional value is its value.
      const owner = before?.kind === 'option' ? byFlag.get(before.name) : undefined
      const isBareOwner = owner?.bare != null && before?.kind === 'option' && before.value == null
      if (isBareOwner) given.get(owner.flag)![given.get(owner.flag)!.length - 1] = token.value
      else positionals.push(token.value)
      continue
    }
    const { field, value } = readOption(token, byFlag)
    given.set(field.flag, [...(given.get(field.flag) ?? []), value])
  }
  return { given, positionals }
}

function tokensOf(argv: readonly string[], fields: readonly Field[]) {
  const options = Object.fromEntries(
    fields.map(({ flag, type, bare, short }) => [
      flag,
      {
        type: type === 'boolean' || bare !== null ? ('boolean' as const) : ('string' as const),
        ...(short === null ? {} : { short }),
      },
    ]),
  )
  return parseArgs({
    args: [...argv],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  }).tokens
}

function readOption(
  { name, rawName, value, inlineValue }: OptionToken,
  byFlag: ReadonlyMap<string, Field>,
): { field: Field; value: string | null } {
  const field = byFlag.get(name)
  if (!field) return readNegation(name, rawName, value, byFlag)
  if (field.bare !== null) return { field, value: value ?? field.bare }
  if (field.type === 'boolean' && !field.isArray) return { field, value: value ?? 'true' }
  const isMissing = value === undefined || (!inlineValue && /^-[^\d.]/.test(value))
  if (isMissing) {
    throw usageError(
      `--${field.flag} needs a value.`,
      `Write --${field.flag} ${placeholder(field)}.`,
    )
  }
  return { field, value }
}

/** `--no-spectra`, and `--no-limit` if null is a value. */
function readNegation(
  name: string,
  rawName: string,
  value: string | undefined,
  byFlag: ReadonlyMap<string, Field>,
): { field: Field; value: string | null } {
  const field = name.startsWith(NEGATION) ? byFlag.get(name.slice(NEGATION.length)) : undefined
  const isBoolean = field?.type === 'boolean' && !field.isArray
  if (field && (isBoolean || field.isNullable) && field.bare === null) {
    if (value === undefined) return { field, value: isBoolean ? 'false' : null }
    throw usageError(`--${name} takes no value.`, `Write --${name} alone.`)
  }
  const known = [...byFlag.keys()].map((flag) => `--${flag}`)
  throw unknownName('option', rawName, known)
}

/** `TOUCHSTONE_BATCH_SIZE` for `--batch-size`; an empty variable is ignored. */
export function readEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  fields: readonly Field[],
): Given {
  return new Map(
    fields.flatMap(({ flag }) => {
      const value = environment[variableOf(flag)]
      return value === undefined || value === '' ? [] : [[flag, [value]] as const]
    }),
  )
}

export const variableOf = (flag: string): string =>
  `TOUCHSTONE_${flag.toUpperCase().replaceAll(/[-.]/g, '_')}`

/** Placeholder of the value in help: `N`, `PATH,…`, `auto|cpu`. */
export function placeholder(field: Field): string {
  if (field.choices) return field.choices.join('|')
  if (field.type === 'integer') return field.splitsAtCommas ? 'N,…' : 'N'
  if (field.type === 'number') return field.splitsAtCommas ? 'X,…' : 'X'
  const word = field.valueName ?? field.flag.split(/[-.]/).at(-1)!.toUpperCase()
  return field.splitsAtCommas ? `${word},…` : word
}
