/** @file SQL that only reads: what is answered, what is refused, and that withheld replies are reached by no name. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readOnly, tablesOf } from '../../../../evals/runs/store/console.ts'
import { storeAudit } from '../../../doubles/runs/stored-audit.ts'

const path = join(storeAudit(), 'touchstone.db')
const refusal = (sql: string) => {
  try {
    return JSON.stringify(readOnly(path, sql, 5000))
  } catch (error) {
    return (error as { code: string }).code
  }
}

test('rows come with their columns, and are cut at the limit', () => {
  expect(readOnly(path, 'SELECT id, kind FROM run', 10)).toEqual({
    columns: ['id', 'kind'],
    rows: [['run-1', 'audit']],
    isCut: false,
  })
  expect(readOnly(path, 'SELECT sample_id FROM reply', 3)).toMatchObject({ isCut: true })
  expect(readOnly(path, 'SELECT sample_id FROM reply', 3).rows).toHaveLength(3)
  expect(readOnly(path, '-- a note\nWITH x AS (SELECT 1 AS one) SELECT * FROM x', 3).rows).toEqual([
    [1],
  ])
  expect(readOnly(path, `SELECT value FROM json_each('[1, 2]')`, 3).rows).toEqual([[1], [2]])
  expect(readOnly(path, `SELECT zeroblob(7), printf('%.*c', 20000, 'x')`, 3).rows[0]![0]).toBe(
    '(7 bytes)',
  )
})

describe('withheld replies', () => {
  test.each([
    'SELECT * FROM sealed_reply',
    'SELECT * FROM SEALED_REPLY',
    'SELECT * FROM main."sealed_reply"',
    'SELECT * FROM [sealed_reply]',
    `SELECT * FROM 'sealed_reply'`,
    'SELECT (SELECT text FROM sealed_reply LIMIT 1)',
    'SELECT 1 WHERE EXISTS (SELECT 1 FROM/**/sealed_reply)',
    'WITH x AS (SELECT text FROM sealed_reply) SELECT * FROM x',
    'SELECT count(*) FROM sealed_reply INDEXED BY sqlite_autoindex_sealed_reply_1',
    'SELECT * FROM dbstat',
    `SELECT data FROM sqlite_dbpage`,
    `SELECT * FROM pragma_table_info('run'), json_each('[1]')`,
  ])('are not reached by %s', (sql) => {
    expect(refusal(sql)).toBe('sql.refused')
  })

  test('are in no table that can be asked', () => {
    for (const { name } of tablesOf(path)) {
      expect(refusal(`SELECT * FROM "${name}"`), name).not.toMatch(/zzplanted|refused/)
    }
    expect(tablesOf(path).map(({ name }) => name)).not.toContain('sealed_reply')
    expect(readFileSync(path).includes('zzplanted')).toBe(true)
  })
})

test.each([
  'DELETE FROM run',
  'UPDATE run SET kind = 1',
  'WITH q AS (SELECT 1) DELETE FROM run',
  'EXPLAIN DELETE FROM run',
  'PRAGMA writable_schema = 1',
  `ATTACH 'other.db' AS other`,
  `VACUUM INTO 'copy.db'`,
  'SELECT 1; DROP TABLE run',
  'BEGIN',
  `SELECT load_extension('x')`,
  `SELECT writefile('x', 'y')`,
  '',
  '/*',
  'SELECT',
  'SELECT * FROM nothing',
])('nothing is written or run by %s', (sql) => {
  const before = readFileSync(path)
  expect(refusal(sql)).toBe('sql.refused')
  expect(readFileSync(path).equals(before)).toBe(true)
})
