/** @file The process of one query: a statement that takes too long can only be stopped from outside. Its argument is the query as JSON. */
import { toWireError } from '../errors/wire.ts'
import { readOnly } from '../runs/store/console.ts'
import type { FromSql, SqlQuery } from './handlers/sql.ts'

const { path, sql, limit } = JSON.parse(process.argv[2]!) as SqlQuery

function answer(): FromSql {
  try {
    return { answered: readOnly(path, sql, limit) }
  } catch (error) {
    return { error: toWireError(error) }
  }
}

process.send!(answer(), () => process.disconnect())
