/**
 * @file Parses texts by flag into a configuration. Later sources win:
 * defaults, preset, `--config FILE`, `TOUCHSTONE_*`, flags.
 */
import type { z } from 'zod'
import { valueAt } from '../../contract/form.ts'
import type { TouchstoneError } from '../../errors/touchstone-error.ts'
import { usageError } from '../../errors/touchstone-error.ts'
import { readArguments, readEnvironment, variableOf, type Given } from './arguments.ts'
import { describeValue, type Field } from './fields.ts'

/** Part of a configuration, as nested plain objects. */
export type Layer = Readonly<Record<string, unknown>>

type Environment = Readonly<Record<string, string | undefined>>

export function refusePositionals([first]: readonly string[]): void {
  if (first === undefined) return
  throw usageError(
    `"${first}" stands where an option should.`,
    'Name values by their option, and quote values that hold spaces.',
  )
}

interface Named<C> {
  readonly options: C
  /** Words that are not options, in order. */
  readonly named: readonly string[]
}

/** The configuration, and up to `most` words that are not options, such as a file or a run. */
export function parseNamed<C>(
  schema: z.ZodType<C>,
  fields: readonly Field[],
  argv: readonly string[],
  { environment = {}, most = 1 }: { environment?: Environment; most?: number } = {},
): Named<C> {
  const { given, positionals } = readArguments(argv, fields)
  refusePositionals(positionals.slice(most))
  return {
    options: assemble(schema, fields, layersOf(fields, given, environment)),
    named: positionals,
  }
}

/** `name`, or an error that says what is missing. */
export function requireNamed(name: string | undefined, problem: string, remedy: string): string {
  if (name === undefined) throw usageError(problem, remedy)
  return name
}

/** The environment, for fields that it may set, then the flags. */
export function layersOf(
  fields: readonly Field[],
  given: Given,
  environment: Environment,
): [Layer, Layer] {
  const lasting = fields.filter(({ isOnce }) => !isOnce)
  const fromEnvironment = layerOf(lasting, readEnvironment(environment, lasting), variableOf)
  return [fromEnvironment, layerOf(fields, given)]
}

/** The given values, converted, as nested objects. `nameOf` names the source of a wrong one. */
export function layerOf(
  fields: readonly Field[],
  given: Given,
  nameOf = (flag: string) => `--${flag}`,
): Layer {
  const layer: Record<string, unknown> = {}
  for (const field of fields) {
    const values = given.get(field.flag)
    if (values) place(layer, field.path, convert(field, values, nameOf(field.flag)))
  }
  return layer
}

function convert(field: Field, values: readonly (string | null)[], name: string): unknown {
  const last = values.at(-1)
  if (last === null || last === undefined) return null
  if (!field.isArray) return convertOne(field, last, name)
  return values
    .filter((value) => value !== null)
    .flatMap((value) => (field.splitsAtCommas ? value.split(',') : [value]))
    .map((item) => convertOne(field, item.trim(), name))
}

const BOOLEANS: Readonly<Record<string, boolean>> = {
  true: true,
  1: true,
  yes: true,
  false: false,
  0: false,
  no: false,
}

function convertOne(field: Field, text: string, name: string): unknown {
  if (field.choices && !field.choices.includes(text)) throw wrongValue(field, text, name)
  if (field.type === 'string') return text
  const value =
    field.type === 'boolean' ? BOOLEANS[text.toLowerCase()] : text === '' ? NaN : Number(text)
  const isUsable = value !== undefined && (typeof value === 'boolean' || Number.isFinite(value))
  if (!isUsable) throw wrongValue(field, text, name)
  return value
}

function wrongValue(field: Field, value: unknown, name: string): TouchstoneError {
  return usageError(
    `${name} cannot be ${typeof value === 'string' ? `"${value}"` : JSON.stringify(value)}.`,
    `Give ${describeValue(field)}.`,
  )
}

function place(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [key, ...rest] = path
  if (rest.length === 0) target[key!] = value
  else place((target[key!] ??= {}) as Record<string, unknown>, rest, value)
}

/** Later layers win field by field; lists are replaced as a whole. */
export function merged(layers: readonly Layer[]): Layer {
  const target: Record<string, unknown> = {}
  for (const layer of layers) {
    for (const [key, value] of Object.entries(layer)) {
      const before = target[key]
      target[key] = isObject(before) && isObject(value) ? merged([before, value]) : value
    }
  }
  return target
}

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string')

/** `NAME=` of `NAME=VALUES`. */
export const nameOfItem = (item: string): string => item.slice(0, item.indexOf('=') + 1)

/** Items of `own` take the places of those of their name; `NAME=` alone leaves that one out. */
function namedOver(before: readonly string[], own: readonly string[], flag: string): string[] {
  const isOut = (item: string) => item !== '' && item === nameOfItem(item)
  const said = Map.groupBy(own, nameOfItem)
  const known = new Set(before.map(nameOfItem))
  const stray = own.find((item) => isOut(item) && !known.has(item))
  if (stray !== undefined) {
    throw usageError(
      `--${flag} ${stray} leaves nothing out: there is no ${stray.slice(0, -1)}.`,
      `Leave it out; there are ${before.join(', ')}.`,
    )
  }
  const replaced = before.flatMap((item) => said.get(nameOfItem(item)) ?? [item])
  const added = own.filter((item) => !known.has(nameOfItem(item)))
  return [...replaced, ...added].filter((item) => !isOut(item))
}

/** Merges and parses, items of a named list one by one; errors name the flag. */
export function assemble<C>(
  schema: z.ZodType<C>,
  fields: readonly Field[],
  layers: readonly Layer[],
): C {
  const raw = merged(layers)
  for (const { path, flag } of fields.filter(({ isNamed }) => isNamed)) {
    const lists = layers.map((layer) => valueAt(layer, path)).filter((list) => list !== undefined)
    if (lists.length > 1 && lists.every(isTexts))
      place(
        raw,
        path,
        lists.reduce((before, own) => namedOver(before, own, flag)),
      )
  }
  const parsed = schema.safeParse(raw)
  if (parsed.success) return parsed.data
  throw issueError(parsed.error.issues[0]!, fields, raw)
}

/** `nameOf` gives a field's name as the user writes it. */
export function issueError(
  issue: z.core.$ZodIssue,
  fields: readonly Field[],
  raw: unknown,
  nameOf = (field: Field) => `--${field.flag}`,
): TouchstoneError {
  const path = issue.path.map(String)
  const field = fields.find((candidate) => candidate.path.every((key, i) => key === path[i]))
  if (!field) {
    return usageError(
      `${path.join('.') || 'The configuration'} cannot be used: ${issue.message}.`,
      'Mend it in the configuration file.',
    )
  }
  const value = valueAt(raw, field.path)
  // A message of our own rule; the value is left out, because it may be secret.
  if (issue.code === 'custom') {
    return usageError(
      `${nameOf(field)} cannot be used: ${issue.message}.`,
      `Change ${nameOf(field)}.`,
    )
  }
  if (value === undefined) {
    return usageError(
      `${nameOf(field)} is missing.`,
      `Add ${nameOf(field)}: ${(field.help || describeValue(field)).replace(/\.$/, '')}.`,
    )
  }
  const item = Array.isArray(value) ? (valueAt(raw, path) ?? value) : value
  return wrongValue(field, Array.isArray(item) && item.length === 0 ? '' : item, nameOf(field))
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
