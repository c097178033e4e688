/** @file Converts between typed text and configuration values. */
import { boundsText, type Bounds, type FormField } from '../../evals/contract/form.ts'

export type Config = Readonly<Record<string, unknown>>

/** Items that may contain commas (paths, `rank=1,4,16`) are written one per line. */
export const isLines = ({ isArray, hints }: FormField): boolean => isArray && hints.repeat === true

/** A value as its control shows it. */
export function textOf(field: FormField, value: unknown): string {
  if (value === null || value === undefined) return ''
  if (Array.isArray(value)) return value.join(isLines(field) ? '\n' : ', ')
  return typeof value === 'string' ? value : JSON.stringify(value)
}

type Parsed = { readonly value: unknown } | { readonly problem: string }

/** The value of `text` in `field`; the engine checks it again. */
export function parseText(field: FormField, text: string): Parsed {
  const trimmed = text.trim()
  if (field.isArray) return parseList(field, trimmed)
  if (trimmed === '' && field.isNullable) return { value: null }
  return parseOne(field, trimmed)
}

function parseList(field: FormField, text: string): Parsed {
  const parts = text
    .split(isLines(field) ? '\n' : ',')
    .flatMap((part) => (part.trim() === '' ? [] : [part.trim()]))
  const parsed = parts.map((part) => parseOne(field, part))
  const wrong = parsed.find((one) => 'problem' in one)
  return wrong ?? { value: parsed.map((one) => 'value' in one && one.value) }
}

function parseOne(field: FormField, text: string): Parsed {
  if (text === '') return { problem: 'Please fill this in.' }
  return field.type === 'string' || field.type === 'boolean'
    ? { value: text }
    : parseNumber(text, field.type === 'integer', field.bounds)
}

function parseNumber(text: string, isWhole: boolean, bounds: Bounds): Parsed {
  const value = Number(text)
  if (!Number.isFinite(value)) return { problem: 'Please give a number.' }
  if (isWhole && !Number.isInteger(value)) return { problem: 'Please give a whole number.' }
  const { lower, upper } = bounds
  const isTooLow = lower && (value < lower.value || (lower.isOpen && value === lower.value))
  const isTooHigh = upper && (value > upper.value || (upper.isOpen && value === upper.value))
  return isTooLow || isTooHigh ? { problem: `${boundsNote(bounds)}.` } : { value }
}

/** Capitalised: "From 1 to 1024"; "" without bounds. */
export function boundsNote(bounds: Bounds): string {
  const text = boundsText(bounds)
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** `config` with one value replaced; everything else is shared. */
export function withValue(config: Config, path: readonly string[], value: unknown): Config {
  const [key, ...rest] = path
  if (key === undefined) return config
  const own = rest.length === 0 ? value : withValue((config[key] ?? {}) as Config, rest, value)
  return { ...config, [key]: own }
}

/** The initial configuration: the schema's defaults. */
export function defaultsOf(fields: readonly FormField[]): Config {
  return fields.reduce<Config>(
    (config, field) =>
      field.default === undefined ? config : withValue(config, field.path, field.default),
    {},
  )
}
