/** @file The built window as a table of addresses. Only its entries are served, so no path leads out of the folder. */
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { WINDOW_TYPES } from '../contract/window-types.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'

export interface StaticFile {
  readonly type: string
  readonly body: Buffer
}

/** Every file of `folder` of a known type, by its address; `/` is index.html. */
export function readStatic(folder: string): ReadonlyMap<string, StaticFile> {
  const files = new Map<string, StaticFile>()
  let entries
  try {
    entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  } catch {
    entries = [] as never[]
  }
  for (const entry of entries) {
    const type = WINDOW_TYPES[extname(entry.name)]
    if (!entry.isFile() || type === undefined) continue
    const path = join(entry.parentPath, entry.name)
    const address = path.slice(folder.length).replaceAll('\\', '/')
    files.set(address, { type, body: readFileSync(path) })
  }
  const index = files.get('/index.html')
  if (!index) throw new TouchstoneError('serve.not-built', { path: join(folder, 'index.html') })
  return files.set('/', index)
}
