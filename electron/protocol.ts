/** @file `app://touchstone/…`: serves the built window from a table of its files, and nothing else. */
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { WINDOW_TYPES } from '../evals/contract/window-types.ts'
import { CSP, ORIGIN } from './security.ts'

/** Must be registered before Electron is ready. */
export const SCHEME = {
  scheme: 'app',
  privileges: { standard: true, secure: true, supportFetchAPI: false, corsEnabled: false },
} as const

/** Address → path on disk, links left out. */
export function filesOf(folder: string): ReadonlyMap<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  const paths = entries
    .filter((entry) => entry.isFile() && extname(entry.name) in WINDOW_TYPES)
    .map((entry) => join(entry.parentPath, entry.name))
  return new Map(
    paths.map((path) => [`${ORIGIN}${path.slice(folder.length).replaceAll('\\', '/')}`, path]),
  )
}

export function respond(files: ReadonlyMap<string, string>, url: string): Response {
  const address = url === `${ORIGIN}/` ? `${ORIGIN}/index.html` : url
  const path = files.get(address)
  const headers = { 'Content-Security-Policy': CSP, 'X-Content-Type-Options': 'nosniff' }
  if (path === undefined) return new Response('There is nothing here.', { status: 404, headers })
  const type = WINDOW_TYPES[extname(path)]!
  return new Response(readFileSync(path), { headers: { ...headers, 'Content-Type': type } })
}
