/**
 * @file The options of a command, derived from its zod schema: one field a flag, nested objects flattened.
 * Words come from `.meta({ label, help, unit })`; `.meta({ flag, short, repeat, bare, value })` changes how it is written.
 */
import { z } from 'zod'

export interface Field {
  /** Without dashes: `batch-size`. */
  readonly flag: string
  readonly short: string | null
  /** Where the value goes in the configuration: `['training', 'batchSize']`. */
  readonly path: readonly string[]
  readonly type: 'string' | 'number' | 'integer' | 'boolean'
  readonly choices: readonly string[] | null
  readonly isArray: boolean
  readonly isNullable: boolean
  readonly isRequired: boolean
  /** Whether `a,b` means two items. Paths may hold commas, so lists of paths are repeated instead. */
  readonly splitsAtCommas: boolean
  /** What the flag means when no value follows; null where one must. */
  readonly bare: string | null
  readonly default: unknown
  readonly bounds: Bounds
  readonly label: string
  readonly help: string
  readonly unit: string
  /** What help writes for the value; null leaves it to the flag's last word. */
  readonly valueName: string | null
}

export interface Bounds {
  readonly lower: Bound | null
  readonly upper: Bound | null
}

interface Bound {
  readonly value: number
  /** Whether the bound itself is outside. */
  readonly isOpen: boolean
}

/** The part of JSON Schema (as zod writes it) that options are read from. */
interface Schema {
  type?: string
  enum?: string[]
  anyOf?: Schema[]
  items?: Schema
  properties?: Record<string, Schema>
  required?: string[]
  default?: unknown
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  exclusiveMaximum?: number
  label?: string
  help?: string
  unit?: string
  flag?: string
  short?: string
  repeat?: boolean
  bare?: string
  value?: string
}

/** In the schema's order. Lists of objects are no flags and are left to whoever knows them. */
export function fieldsOf(schema: z.ZodType): Field[] {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Schema
  const fields = objectFields(json, [])
  const clash = fields.find(({ flag }, index) =>
    fields.slice(0, index).some((earlier) => earlier.flag === flag),
  )
  if (clash) throw new Error(`internal: two options are both written --${clash.flag}`)
  return fields
}

function objectFields(schema: Schema, path: readonly string[]): Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, property]) => {
    if (property.type === 'object') {
      return property.properties ? objectFields(property, [...path, key]) : []
    }
    if (property.items?.type === 'object') return []
    const isRequired = property.default === undefined && (schema.required ?? []).includes(key)
    return [toField(property, [...path, key], isRequired)]
  })
}

function toField(property: Schema, path: readonly string[], isRequired: boolean): Field {
  const isNullable = property.anyOf?.some(({ type }) => type === 'null') ?? false
  const inner = property.anyOf?.find(({ type }) => type !== 'null') ?? property
  const isArray = inner.type === 'array'
  const value = isArray ? (inner.items ?? {}) : inner
  return {
    flag: property.flag ?? kebabCase(path.at(-1)!),
    short: property.short ?? null,
    path,
    type: valueType(value),
    choices: value.enum ?? null,
    isArray,
    isNullable,
    isRequired,
    splitsAtCommas: isArray && property.repeat !== true,
    bare: property.bare ?? null,
    default: property.default,
    bounds: boundsOf(value),
    label: property.label ?? '',
    help: property.help ?? '',
    unit: property.unit ?? '',
    valueName: property.value ?? null,
  }
}

function valueType({ type }: Schema): Field['type'] {
  return type === 'number' || type === 'integer' || type === 'boolean' ? type : 'string'
}

function boundsOf({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Schema): Bounds {
  const bound = (closed: number | undefined, open: number | undefined): Bound | null => {
    const value = open ?? closed
    // zod writes the safe integers out as bounds; nobody needs to read them.
    if (value === undefined || Math.abs(value) >= Number.MAX_SAFE_INTEGER) return null
    return { value, isOpen: open !== undefined }
  }
  return { lower: bound(minimum, exclusiveMinimum), upper: bound(maximum, exclusiveMaximum) }
}

export const kebabCase = (key: string): string =>
  key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

/** "a whole number from 1 to 1024", "one of auto, cpu". */
export function describeValue({ type, choices, bounds }: Field): string {
  if (choices) return `one of ${choices.join(', ')}`
  if (type === 'boolean') return 'true or false'
  if (type === 'string') return 'some text'
  const kind = type === 'integer' ? 'a whole number' : 'a number'
  const within = boundsText(bounds)
  if (within === '') return kind
  return within.startsWith('at ') ? `${kind}, ${within}` : `${kind} ${within}`
}

/** "from 1 to 1024", "above 0 and below 1", or nothing. */
export function boundsText({ lower, upper }: Bounds): string {
  if (lower && upper && !lower.isOpen && !upper.isOpen) {
    return `from ${lower.value} to ${upper.value}`
  }
  const low = lower ? [`${lower.isOpen ? 'above' : 'at least'} ${lower.value}`] : []
  const high = upper ? [`${upper.isOpen ? 'below' : 'at most'} ${upper.value}`] : []
  return [...low, ...high].join(' and ')
}
