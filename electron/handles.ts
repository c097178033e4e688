/** @file Picked paths stay in the shell: the window gets handles, and the shell replaces them by paths in calls to the engine. */
import { randomBytes } from 'node:crypto'
import { basename } from 'node:path'
import { HANDLE } from '../evals/contract/desktop.ts'

export interface Handles {
  give(path: string): { handle: string; name: string }
  /** A copy with every known handle replaced by its path. */
  resolve(value: unknown): unknown
}

export function createHandles(): Handles {
  const paths = new Map<string, string>()
  const resolve = (value: unknown): unknown => {
    if (typeof value === 'string') return HANDLE.test(value) ? (paths.get(value) ?? value) : value
    if (Array.isArray(value)) return value.map(resolve)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolve(inner)]))
  }
  return {
    resolve,
    give(path) {
      const handle = `handle:${randomBytes(16).toString('base64url')}`
      paths.set(handle, path)
      return { handle, name: basename(path) }
    },
  }
}
