/**
 * @file Loaded before the engine in a child process (`node --import`): names every moment at which something on disk changes, and
 * ends the process there with SIGKILL where it is told to. Can also let the clock run fast, so that saves by time happen often.
 *
 * A point is `before rename FILE`, `after rm FILE`, `before commit` and their like, or `half a file`, and then which time: ` #2`.
 */
import Database from 'better-sqlite3'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import promises, { type FileHandle } from 'node:fs/promises'
import { basename } from 'node:path'

const {
  TOUCHSTONE_KILL_AT: target,
  TOUCHSTONE_KILL_LOG: log,
  TOUCHSTONE_KILL_CLOCK: speed,
} = process.env

const reached = new Map<string, number>()

function reach(what: string): void {
  const count = (reached.get(what) ?? 0) + 1
  reached.set(what, count)
  const point = `${what} #${count}`
  if (log !== undefined) fs.appendFileSync(log, `${point}\n`)
  if (point === target) process.kill(process.pid, 'SIGKILL')
}

const around = async <T>(what: string, action: () => Promise<T>): Promise<T> => {
  reach(`before ${what}`)
  const result = await action()
  reach(`after ${what}`)
  return result
}

const { rename, rm, open } = promises
promises.rename = (from, to) => around(`rename ${basename(String(to))}`, () => rename(from, to))
promises.rm = (path, options) => around(`rm ${basename(String(path))}`, () => rm(path, options))
promises.open = async (path, flags, mode) => {
  const handle = await open(path, flags, mode)
  return flags === 'wx' ? halved(handle) : handle
}
syncBuiltinESMExports()

/** Stops after the first part of a file: what is on disk then is no whole file. */
function halved(handle: FileHandle): FileHandle {
  const append = handle.appendFile.bind(handle)
  handle.appendFile = async (data, options) => {
    await append(data, options)
    reach('half a file')
  }
  return handle
}

type Work = (...values: unknown[]) => unknown
type MakeTransaction = (this: unknown, work: Work) => Work & { immediate: Work }

// The store writes in `transaction(…).immediate(…)` alone.
const prototype = Database.prototype as unknown as { transaction: MakeTransaction }
const make = prototype.transaction
prototype.transaction = function transaction(work) {
  const made = make.call(this, work)
  const immediate: Work = (...values) => {
    reach('before commit')
    const result = made.immediate(...values)
    reach('after commit')
    return result
  }
  return Object.assign((...values: unknown[]) => made(...values), { immediate })
}

if (speed !== undefined) {
  const now = Date.now
  const start = now()
  Date.now = () => Math.round(start + (now() - start) * Number(speed))
}
