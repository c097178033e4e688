/** @file Statements of a database, each compiled once: a list of a thousand runs asks the same few questions of every one. */
import type { Database, Statement } from 'better-sqlite3'

const compiled = new WeakMap<Database, Map<string, Statement>>()

export function prepared(database: Database, sql: string): Statement {
  const own = compiled.get(database) ?? new Map<string, Statement>()
  compiled.set(database, own)
  const statement = own.get(sql) ?? database.prepare(sql)
  own.set(sql, statement)
  return statement
}
