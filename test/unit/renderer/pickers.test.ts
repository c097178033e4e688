/** What forms offer and take: settings in groups, values of earlier runs, files that are dropped. */
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { formFields } from '../../../evals/contract/form.ts'
import { KINDS } from '../../../evals/engine/kinds.ts'
import { droppedPath } from '../../../renderer/forms/dropped.ts'
import { fieldGroups } from '../../../renderer/forms/groups.ts'
import { recentValues } from '../../../renderer/forms/recent.ts'

describe('the groups of a form', () => {
  const groups = (kind: keyof typeof KINDS) =>
    fieldGroups(
      formFields(z.toJSONSchema(KINDS[kind].schema, { io: 'input', unrepresentable: 'any' })),
    )
  test('are four for an audit, and hold each of its settings once', () => {
    const found = groups('audit')
    expect(found.map(({ title }) => title)).toEqual([
      ...['Model and data', 'Training', 'Measuring', 'Machine and storage'],
    ])
    const names = found.map(({ fields }) => fields.map(({ path }) => path.join('.')))
    expect(names[0]).toContain('data')
    expect(names[1]).toContain('training.learningRate')
    expect(names[2]).toContain('margin')
    expect(names[3]).toContain('device')
    expect(new Set(names.flat()).size).toBe(names.flat().length)
  })
  test('are left out where they would be empty', () => {
    expect(groups('locate').map(({ title }) => title)).not.toContain('Training')
  })
})

test('earlier values are told once, the newest first', () => {
  const runs = [{ model: 'b' }, { model: 'a' }, { model: 'b' }, { candidates: ['x', 'y'] }, null]
  const of = (name: string) =>
    recentValues(
      runs.map((config) => ({ config })),
      name,
    )
  expect(of('model')).toEqual(['b', 'a'])
  expect(of('candidates')).toEqual(['x', 'y'])
})

describe('what is dropped', () => {
  const transfer = (texts: Record<string, string>, names: string[] = []) => ({
    getData: (type: string) => texts[type] ?? '',
    files: names.map((name) => ({ name })),
  })
  test('is a path where its place is told', () => {
    expect(droppedPath(transfer({ 'text/uri-list': '#x\r\nfile:///a%20b/c.jsonl\r\n' }))).toEqual({
      path: '/a b/c.jsonl',
    })
    expect(droppedPath(transfer({ 'text/plain': ' /models/tiny ' }))).toEqual({
      path: '/models/tiny',
    })
  })
  test('is answered in words where it is not', () => {
    const said = (...args: Parameters<typeof droppedPath>) => JSON.stringify(droppedPath(...args))
    expect(said(transfer({}, ['rows.jsonl']))).toContain('does not say where “rows.jsonl” lies')
    expect(said(null)).toContain('Nothing was dropped')
  })
})
