/** @file The `touchstone …` line that reproduces a configuration: every value that differs from the default, as a flag. */
import { fieldsOf, type Field } from './fields.ts'
import { isObject, nameOfItem, type Layer } from './flags.ts'
import { armNameOf, type MethodChoice } from '../../finetune/method-choice.ts'
import { valueAt } from '../../contract/form.ts'
import { findMethod } from '../../finetune/registry.ts'

/** `preset` replaces defaults. */
export function commandLine(
  verb: string,
  fields: readonly Field[],
  config: unknown,
  { preset = {}, rest = [] }: { preset?: Layer; rest?: readonly string[] } = {},
): string {
  const words = fields.flatMap((field) =>
    wordsOf(field, valueAt(config, field.path), valueAt(preset, field.path) ?? field.default),
  )
  const all = ['touchstone', verb, ...words, ...methodWords(config, preset), ...rest]
  return all.map(shellQuoted).join(' ')
}

function wordsOf(field: Field, value: unknown, initial: unknown): string[] {
  if (value === undefined || isSame(value, initial)) return []
  const { flag } = field
  if (value === null || value === false) return [`--no-${flag}`]
  if (value === true) return [`--${flag}`]
  if (!Array.isArray(value)) return pair(flag, textOf(value))
  if (field.isNamed)
    return changedItems(value as string[], initial as string[]).flatMap((item) => pair(flag, item))
  if (field.splitsAtCommas) return pair(flag, value.map(textOf).join(','))
  return value.flatMap((item) => pair(flag, textOf(item)))
}

/** Those that differ from `initial`, and the bare names of those that are gone. */
function changedItems(value: readonly string[], initial: readonly string[]): string[] {
  const names = new Set(value.map(nameOfItem))
  const gone = initial.map(nameOfItem).filter((name) => !names.has(name))
  return [...value.filter((item) => !initial.includes(item)), ...gone]
}

const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : JSON.stringify(value)

/** A value that begins with a dash must be joined to its flag. */
const pair = (flag: string, value: string): string[] =>
  value.startsWith('-') ? [`--${flag}=${value}`] : [`--${flag}`, value]

const choicesIn = (config: unknown): readonly MethodChoice[] => {
  const methods = isObject(config) ? config['methods'] : undefined
  return Array.isArray(methods) ? (methods as MethodChoice[]) : []
}

function methodWords(config: unknown, preset: Layer): string[] {
  const chosen = choicesIn(config)
  const before = choicesIn(preset)
  const asked = ({ name, arm }: MethodChoice) => (arm === undefined ? name : `${arm}=${name}`)
  const names = chosen.map(asked)
  const isPreset = isSame(names, before.map(asked))
  const settings = chosen.flatMap((choice) => {
    const initial = before.find((other) => asked(other) === asked(choice))?.config ?? {}
    const own = choice.config
    const arm = armNameOf(choice)
    return fieldsOf(findMethod(choice.name).config).map((field) => ({ arm, field, own, initial }))
  })
  const groups = Map.groupBy(settings, ({ field }) => field.flag).values()
  const words = Array.from(groups, sharedWords).flat()
  return isPreset ? words : ['--methods', names.join(','), ...words]
}

interface Setting {
  readonly arm: string
  readonly field: Field
  readonly own: Layer
  readonly initial: Layer
}

/** One flag if all arms agree, else one per arm. */
function sharedWords(settings: readonly Setting[]): string[] {
  const values = settings.map(({ field, own }) => valueAt(own, field.path))
  const isShared = values.every((value) => isSame(value, values[0]))
  const written = settings.map(({ arm, field, own, initial }) => {
    const flag = isShared ? field.flag : `${arm}.${field.flag}`
    const before = valueAt(initial, field.path) ?? field.default
    return wordsOf({ ...field, flag }, valueAt(own, field.path), before)
  })
  return isShared ? (written.find((words) => words.length > 0) ?? []) : written.flat()
}

/** Equal as JSON, in any order of keys. */
export function isSame(a: unknown, b: unknown): boolean {
  return firstDifference(a, b) === undefined
}

/** Where two configurations first differ, as a dotted path ('' for the whole). */
export function firstDifference(a: unknown, b: unknown, path = ''): string | undefined {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => isSame(item, b[index]))
      ? undefined
      : path
  }
  if (!isObject(a) || !isObject(b)) return a === b ? undefined : path
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const inner = firstDifference(a[key], b[key], path === '' ? key : `${path}.${key}`)
    if (inner !== undefined) return inner
  }
  return undefined
}

const PLAIN = /^[\w./,:=@%+-]+$/

/** Quoted for a POSIX shell. */
export const shellQuoted = (word: string): string =>
  PLAIN.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
