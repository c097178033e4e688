/**
 * @file A configuration's fields, read from its JSON Schema: what a form draws and what flags are made of. Nested objects are
 * flattened. Words come from zod's `.meta({ label, help, unit })`.
 */

export interface FormField {
  /** Where the value goes in the configuration: `['training', 'batchSize']`. */
  readonly path: readonly string[]
  readonly type: 'string' | 'number' | 'integer' | 'boolean'
  readonly choices: readonly string[] | null
  readonly isArray: boolean
  readonly isNullable: boolean
  readonly isRequired: boolean
  readonly default: unknown
  readonly bounds: Bounds
  /** The fewest characters of a text; absent where one will do. */
  readonly fewest?: number
  readonly label: string
  readonly help: string
  readonly unit: string
  /** How it is written on a command line, where that is not by its name. */
  readonly hints: Hints
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

interface Hints {
  readonly flag?: string
  readonly short?: string
  readonly repeat?: boolean
  /** Items are written NAME=…, and a flag changes the item of its name alone. */
  readonly named?: boolean
  readonly bare?: string
  readonly value?: string
  /** It acts on this command only, and must not come from a forgotten variable. */
  readonly once?: boolean
}

/** The part of JSON Schema (as zod writes it) that fields are read from. */
interface Schema extends Hints {
  readonly type?: string
  readonly enum?: readonly string[]
  readonly anyOf?: readonly Schema[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly default?: unknown
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly exclusiveMaximum?: number
  readonly minLength?: number
  readonly label?: string
  readonly help?: string
  readonly unit?: string
}

/** In the schema's order. Lists of objects and open records are no fields and are left to whoever knows them. */
export const formFields = (schema: object): FormField[] => objectFields(schema, [])

function objectFields(schema: Schema, path: readonly string[]): FormField[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, property]) => {
    if (property.type === 'object') {
      return property.properties ? objectFields(property, [...path, key]) : []
    }
    if (property.items?.type === 'object') return []
    const isRequired = property.default === undefined && (schema.required ?? []).includes(key)
    return [toField(property, [...path, key], isRequired)]
  })
}

function toField(property: Schema, path: readonly string[], isRequired: boolean): FormField {
  const inner = property.anyOf?.find(({ type }) => type !== 'null') ?? property
  const isArray = inner.type === 'array'
  const value = isArray ? (inner.items ?? {}) : inner
  return {
    path,
    type: valueType(value),
    choices: value.enum ?? null,
    isArray,
    isNullable: property.anyOf?.some(({ type }) => type === 'null') ?? false,
    isRequired,
    default: property.default,
    bounds: boundsOf(value),
    ...((value.minLength ?? 0) > 1 && { fewest: value.minLength! }),
    label: property.label ?? '',
    help: property.help ?? '',
    unit: property.unit ?? '',
    hints: property,
  }
}

function valueType({ type }: Schema): FormField['type'] {
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

/** "from 1 to 1024", "above 0 and below 1", or "" without bounds. */
export function boundsText({ lower, upper }: Bounds): string {
  if (lower && upper && !lower.isOpen && !upper.isOpen) {
    return `from ${lower.value} to ${upper.value}`
  }
  const low = lower ? [`${lower.isOpen ? 'above' : 'at least'} ${lower.value}`] : []
  const high = upper ? [`${upper.isOpen ? 'below' : 'at most'} ${upper.value}`] : []
  return [...low, ...high].join(' and ')
}

/** The value at a path of object keys and list indices; undefined where there is none. */
export function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null && Object.hasOwn(inner, key)
        ? (inner as Record<string, unknown>)[key]
        : undefined,
    value,
  )
}
