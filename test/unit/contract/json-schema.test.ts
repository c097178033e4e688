/** @file The published schema is the current one, and holds for what an audit computes. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { buildResults } from '../../../evals/findings/results.ts'
import { resultsSchema } from '../../../evals/contract/json-schema.ts'
import { Results } from '../../../evals/contract/results.ts'
import { plannedAudit } from '../../doubles/rows/audit-rows.ts'
import { problems, type Schema } from '../../doubles/rows/schema-reader.ts'

const schema = JSON.parse(resultsSchema()) as Schema
const results = JSON.parse(JSON.stringify(buildResults(plannedAudit()))) as unknown

test('docs/results.schema.json is current', () => {
  const path = new URL('../../../docs/results.schema.json', import.meta.url)
  expect(readFileSync(path, 'utf8')).toBe(resultsSchema())
})

test('every field of a result is required by the schema but those that earlier versions lack, and the other way round', () => {
  const fields = Object.entries(Results.shape)
  const required = fields.flatMap(([name, field]) =>
    field.safeParse(undefined).success ? [] : name,
  )
  expect(schema.required?.toSorted()).toEqual(required.toSorted())
  expect(fields.length - required.length).toBeLessThan(required.length)
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
  expect(problems(schema, { ...(results as object), more: 1 })).toEqual([
    '$.more: not in the schema',
  ])
  expect(problems({ type: 'integer', minimum: 0 }, -1)).toEqual(['$: out of range'])
})
