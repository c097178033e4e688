/** @file Every call that the engine answers. Add a line to a room of `calls/` and the compiler asks for the handler. */
import type { z } from 'zod'
import type { Call } from './call.ts'
import { catalog } from './calls/catalog.ts'
import { data } from './calls/data.ts'
import { doctor, house, signed, sql } from './calls/house.ts'
import { job } from './calls/jobs.ts'
import { spectrum, sweep } from './calls/measures.ts'
import { file, model } from './calls/models.ts'
import { run } from './calls/runs.ts'
import { label, pair, sample } from './calls/samples.ts'
import { talk } from './calls/talk.ts'

export const api = {
  catalog,
  model,
  file,
  data,
  job,
  run,
  sample,
  pair,
  label,
  spectrum,
  sweep,
  talk,
  house,
  signed,
  doctor,
  sql,
}
type Api = typeof api

type Awaitable<T> = T | Promise<T>
type Ask<C> =
  C extends Call<infer I, infer O>
    ? undefined extends z.input<I>
      ? (input?: z.input<I>) => Promise<z.output<O>>
      : (input: z.input<I>) => Promise<z.output<O>>
    : never
type Answer<C> =
  C extends Call<infer I, infer O> ? (input: z.output<I>) => Awaitable<z.input<O>> : never

/** The engine as a caller sees it: `await engine.job.start({ kind, config })`. */
export type EngineClient = { [R in keyof Api]: { [M in keyof Api[R]]: Ask<Api[R][M]> } }
/** The engine as its host provides it. */
export type EngineHandlers = { [R in keyof Api]: { [M in keyof Api[R]]: Answer<Api[R][M]> } }

/** `job.start` → its schemas; undefined where there is no such call, however the name is written. */
export function findCall(name: string): Call | undefined {
  const [room = '', method = '', ...rest] = name.split('.')
  if (rest.length > 0 || !Object.hasOwn(api, room)) return undefined
  const calls = api[room as keyof Api] as Record<string, Call>
  return Object.hasOwn(calls, method) ? calls[method] : undefined
}
