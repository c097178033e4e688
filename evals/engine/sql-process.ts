/** @file The process of one SQL query, because a slow statement can only be stopped from outside. Argument: the query as JSON. */
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
