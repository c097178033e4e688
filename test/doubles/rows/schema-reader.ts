/** @file A small reader of JSON Schema, independent of zod: what a value breaks, by path. */

export interface Schema {
  type?: string | string[]
  required?: string[]
  properties?: Record<string, Schema>
  items?: Schema
  prefixItems?: Schema[]
  additionalProperties?: boolean | Schema
  minimum?: number
  maximum?: number
  anyOf?: Schema[]
  oneOf?: Schema[]
  enum?: unknown[]
  const?: unknown
}

/** A small reader of JSON Schema, independent of zod: what `value` breaks, by path. */
export function problems(at: Schema, value: unknown, path = '$'): string[] {
  const options = at.anyOf ?? at.oneOf
  if (options) {
    return options.some((option) => problems(option, value, path).length === 0)
      ? []
      : [`${path}: none of the alternatives`]
  }
  if ('const' in at && at.const !== value) return [`${path}: not ${String(at.const)}`]
  if (at.enum && !at.enum.includes(value)) return [`${path}: not in the enum`]
  const types = [at.type ?? []].flat()
  if (types.length > 0 && !types.some((type) => hasType(type, value))) {
    return [`${path}: not ${types.join(' or ')}`]
  }
  if (
    typeof value === 'number' &&
    !(value >= (at.minimum ?? value) && value <= (at.maximum ?? value))
  )
    return [`${path}: out of range`]
  if (Array.isArray(value)) {
    return value.flatMap((item, n) => {
      const of = at.prefixItems?.[n] ?? at.items
      return of ? problems(of, item, `${path}[${n}]`) : []
    })
  }
  if (typeof value !== 'object' || value === null) return []
  const object = value as Record<string, unknown>
  return [
    ...(at.required ?? [])
      .filter((key) => !(key in object))
      .map((key) => `${path}.${key}: missing`),
    ...Object.entries(object).flatMap(([key, held]) => {
      const property = at.properties?.[key] ?? at.additionalProperties ?? {}
      if (property === false) return [`${path}.${key}: not in the schema`]
      return property === true ? [] : problems(property, held, `${path}.${key}`)
    }),
  ]
}

function hasType(type: string, value: unknown): boolean {
  if (type === 'array') return Array.isArray(value)
  if (type === 'null') return value === null
  if (type === 'integer') return Number.isInteger(value)
  if (type === 'object') return typeof value === 'object' && value !== null
  return typeof value === type
}
