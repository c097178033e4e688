/** @file Calls about models and the files beside them. */
import { readdir, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { z } from 'zod'
import { servedFacts } from '../../document/served/inspection.ts'
import { foundModels } from '../../inspect/found-models.ts'
import { inspectServed } from '../../inspect/inspect-served.ts'
import { factsOf } from '../../inspect/model-facts.ts'
import { modelPath } from '../../models/model-path.ts'
import type { EngineHandlers } from '../../contract/api.ts'
import type { FileEntry, ModelEntry } from '../../contract/calls/models.ts'
import { toWireError } from '../../errors/wire.ts'
import { exists, notReadable, unreadable } from '../../files/read-file.ts'
import { ServedConfig } from '../../measure/served/config.ts'
import { openModel } from '../../models/open-model.ts'
import { keepSendings, type Home } from '../home.ts'

const BUNDLED = 'pebble'

export function modelHandlers(home: Home): EngineHandlers['model'] {
  const { windowStore } = home
  return {
    list: () => Promise.all([BUNDLED, ...windowStore.models()].map(entryOf)),
    found: () =>
      windowStore.settings()['findsModels'] === false
        ? { models: [], skipped: 0 }
        : foundModels([...windowStore.models(), ...usedModels(home)]),
    inspect: ({ path }) => entryOf(path),
    async served({ address, ...permission }) {
      const { replyTimeout } = ServedConfig.parse({})
      const { signal } = new AbortController()
      keepSendings(home, [address], permission.sendPrompts)
      const facts = await inspectServed(address, { ...permission, replyTimeout }, signal)
      return { sections: servedFacts(address, facts) }
    },
    async digest({ path }) {
      const began = performance.now()
      const open = await openModel(modelPath(path))
      try {
        const digest = await open.checkpoint.digest()
        return { digest, seconds: (performance.now() - began) / 1000 }
      } finally {
        await open.close()
      }
    },
    async add({ path }) {
      // Throws for a path that is no model.
      await factsOf(modelPath(path))
      const whole = path === BUNDLED ? path : resolve(path)
      if (whole !== BUNDLED) windowStore.addModel(whole)
      return entryOf(whole)
    },
    remove({ path }) {
      windowStore.removeModel(path)
      return null
    },
  }
}

const WithModel = z.object({ model: z.string() })

/** As earlier runs were given them. */
const usedModels = (home: Home): string[] =>
  home
    .folders()
    .flatMap((folder) => home.store(folder).runs())
    .flatMap(({ config }) => WithModel.safeParse(config).data?.model ?? [])

async function entryOf(path: string): Promise<ModelEntry> {
  const isBundled = path === BUNDLED
  const own = { path, name: isBundled ? 'Pebble' : basename(path), isBundled }
  try {
    return { ...own, facts: await factsOf(modelPath(path)), problem: null }
  } catch (error) {
    return { ...own, facts: null, problem: toWireError(error) }
  }
}

const MOST_ENTRIES = 2000

export const fileHandlers: EngineHandlers['file'] = {
  async list({ path }) {
    const folder = resolve(path ?? homedir())
    const found = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
      throw unreadable(folder, error)
    })
    const visible = found.filter(({ name }) => !name.startsWith('.'))
    const shown = visible.sort((a, b) => a.name.localeCompare(b.name)).slice(0, MOST_ENTRIES)
    const entries = await Promise.all(shown.map(({ name }) => fileEntry(join(folder, name))))
    const parent = dirname(folder)
    return {
      path: folder,
      parent: parent === folder ? null : parent,
      entries: entries.flatMap((entry) => entry ?? []),
      isCut: visible.length > shown.length,
    }
  },
  async look({ path }) {
    const entry = await fileEntry(resolve(path))
    if (entry) return entry
    throw notReadable(path, 'it is not there, or is neither a file nor a folder')
  },
}

/** Undefined for broken links and for entries that are neither a file nor a folder. */
async function fileEntry(path: string): Promise<FileEntry | undefined> {
  const found = await stat(path).catch(() => undefined)
  const name = basename(path)
  if (found?.isDirectory()) {
    return { name, path, kind: 'folder', bytes: null, hint: await hintOf(path) }
  }
  if (!found?.isFile()) return undefined
  return { name, path, kind: 'file', bytes: found.size, hint: FILE_HINTS[extname(name)] ?? null }
}

const FILE_HINTS: Readonly<Record<string, FileEntry['hint']>> = {
  '.gguf': 'gguf',
  '.jsonl': 'data',
  '.json': 'data',
  '.csv': 'data',
  '.parquet': 'data',
}

const FOLDER_HINTS = [
  ['config.json', 'model'],
  ['adapter_config.json', 'adapter'],
  ['touchstone.db', 'run'],
  ['signature.json', 'case'],
] as const

async function hintOf(folder: string): Promise<FileEntry['hint']> {
  for (const [name, hint] of FOLDER_HINTS) if (await exists(join(folder, name))) return hint
  return null
}
