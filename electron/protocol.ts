/** @file `app://touchstone/…`: the built window, from a table of its files; what is not in the table is not there. */
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { CSP, ORIGIN } from './security.ts'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
}

/** Must be told to Electron before it is ready. */
export const SCHEME = {
  scheme: 'app',
  privileges: { standard: true, secure: true, supportFetchAPI: false, corsEnabled: false },
} as const

/** Address → path on disk, links left out. */
export function filesOf(folder: string): ReadonlyMap<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  const paths = entries
    .filter((entry) => entry.isFile() && extname(entry.name) in TYPES)
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
  const type = TYPES[extname(path)]!
  return new Response(readFileSync(path), { headers: { ...headers, 'Content-Type': type } })
}
