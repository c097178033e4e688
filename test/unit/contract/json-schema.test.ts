/** @file The published schema is the current one, and holds for what an audit computes. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { buildResults } from '../../../evals/audit/results.ts'
import { resultsSchema } from '../../../evals/contract/json-schema.ts'
import { Results } from '../../../evals/contract/results.ts'
import { plannedAudit } from '../../doubles/audit-rows.ts'

interface Schema {
  type?: string | string[]
  required?: string[]
  properties?: Record<string, Schema>
  items?: Schema
  anyOf?: Schema[]
  oneOf?: Schema[]
  enum?: unknown[]
  const?: unknown
}

const schema = JSON.parse(resultsSchema()) as Schema
const results = JSON.parse(JSON.stringify(buildResults(plannedAudit()))) as unknown

/** A small reader of JSON Schema, independent of zod: what `value` breaks, by path. */
function problems(at: Schema, value: unknown, path = '$'): string[] {
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
  if (Array.isArray(value)) {
    return value.flatMap((item, n) => (at.items ? problems(at.items, item, `${path}[${n}]`) : []))
  }
  if (typeof value !== 'object' || value === null) return []
  const object = value as Record<string, unknown>
  return [
    ...(at.required ?? [])
      .filter((key) => !(key in object))
      .map((key) => `${path}.${key}: missing`),
    ...Object.entries(at.properties ?? {}).flatMap(([key, property]) =>
      key in object ? problems(property, object[key], `${path}.${key}`) : [],
    ),
  ]
}

function hasType(type: string, value: unknown): boolean {
  if (type === 'array') return Array.isArray(value)
  if (type === 'null') return value === null
  if (type === 'integer') return Number.isInteger(value)
  if (type === 'object') return typeof value === 'object' && value !== null
  return typeof value === type
}

test('docs/results.schema.json is current', () => {
  const path = new URL('../../../docs/results.schema.json', import.meta.url)
  expect(readFileSync(path, 'utf8')).toBe(resultsSchema())
})

test('every field of a result is required by the schema, and the other way round', () => {
  expect(schema.required?.toSorted()).toEqual(Object.keys(Results.shape).toSorted())
})

test('computed results keep the schema, by zod and by a reader that is not zod', () => {
  expect(Results.safeParse(results).error).toBeUndefined()
  expect(problems(schema, results)).toEqual([])
})

test('the independent reader does find faults', () => {
  const broken = { ...(results as Record<string, unknown>), schemaVersion: 2, flips: [{}] }
  const found = problems(schema, { ...broken, limits: undefined })
  expect(found).toContain('$.schemaVersion: not 1')
  expect(found).toContain('$.flips[0].prompt: missing')
  expect(found).toContain('$.limits: not array')
})
