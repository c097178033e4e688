/** @file Calls about the workbench itself: disk use, copies, settings, the bug report, doctor. */
import { statfs } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { caseSentences, checkCase } from '../../runs/check-case.ts'
import { findings } from '../../runs/checks/doctor.ts'
import { FILE_NAME } from '../../runs/databases.ts'
import type { EngineHandlers } from '../../contract/api.ts'
import { Settings } from '../../contract/calls/house.ts'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { exists } from '../../files/read-file.ts'
import { makePrivateFolder } from '../../files/private-file.ts'
import { writeAtomically } from '../../files/write-file.ts'
import { weightCacheFolder } from '../../models/weights/converted-weights.ts'
import { defaultCacheFolder } from '../../spectra/base-store.ts'
import { openStore } from '../../runs/store/store.ts'
import { openWindowStore, WINDOW_FILE } from '../../runs/store/window-store.ts'
import { bugReport } from '../bug-report.ts'
import { bytesUnder } from '../../files/bytes-under.ts'
import type { Home } from '../home.ts'

type Handlers = EngineHandlers['house']

/** Settings of another version that cannot be read fall back to the defaults. */
export function settingsOf({ windowStore }: Pick<Home, 'windowStore'>): Settings {
  const parsed = Settings.safeParse(windowStore.settings())
  return parsed.success ? parsed.data : Settings.parse({})
}

/** `changed` is told after every change. */
export const settingHandlers = (
  home: Home,
  changed: () => void,
): Pick<Handlers, 'settings' | 'set'> => ({
  settings: () => settingsOf(home),
  set(fields) {
    for (const [name, value] of Object.entries(fields)) {
      if (value !== undefined) home.windowStore.set(name, value)
    }
    changed()
    return settingsOf(home)
  },
})

/** Heavy: they read much of the disk or copy databases. */
export function houseHandlers(home: Home): Omit<Handlers, 'settings' | 'set'> {
  return {
    async usage() {
      const { bavail, bsize } = await statfs(home.folder)
      const [free, entries] = [bavail * bsize, await entriesOf(home)]
      const sendings = home.windowStore.sendings()
      return { home: home.folder, free, entries, closed: [...home.closed()], sendings }
    },
    async backup({ path }) {
      const folder = resolve(path)
      await copyInto(home, folder)
      return { path: folder, bytes: await bytesUnder(folder) }
    },
    async move({ folder }) {
      const target = resolve(folder)
      await copyInto(home, target)
      return { home: target }
    },
    async bugReport() {
      const report = await bugReport(home)
      const stamp = new Date().toISOString().replaceAll(/\D/g, '').slice(0, 14)
      const path = join(home.folder, 'exports', `bug-report-${stamp}.json`)
      makePrivateFolder(join(home.folder, 'exports'))
      const text = `${JSON.stringify(report, null, 2)}\n`
      await writeAtomically(path, [text])
      return { path, bytes: Buffer.byteLength(text), holds: Object.keys(report) }
    },
  }
}

export const signedHandlers = (home: Home): EngineHandlers['signed'] => ({
  async verify({ folder, key }) {
    const checked = await checkCase(resolve(folder), key, home.folder)
    return { ...checked, sentences: caseSentences(checked, key) }
  },
})

export const doctorHandlers: EngineHandlers['doctor'] = {
  async check() {
    const { checks, ...found } = await findings()
    return { ...found, checks: [...checks] }
  },
}

const FILES = [FILE_NAME, WINDOW_FILE] as const

/** Copies both databases consistently, also while a job writes, and opens the copies, which validates them. */
async function copyInto(home: Home, folder: string): Promise<void> {
  for (const name of FILES) {
    if (await exists(join(folder, name))) {
      const why = `it already holds ${name}`
      throw new TouchstoneError('output.unwritable', { path: folder, why })
    }
  }
  try {
    makePrivateFolder(folder)
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException
    throw new TouchstoneError('output.unwritable', { path: folder, why: code })
  }
  home.store(home.folder).copyTo(join(folder, FILE_NAME))
  home.windowStore.copyTo(join(folder, WINDOW_FILE))
  openStore(join(folder, FILE_NAME)).close()
  openWindowStore(folder).close()
}

type Entry = Awaited<ReturnType<Handlers['usage']>>['entries'][number]

async function entriesOf(home: Home): Promise<Entry[]> {
  const entry = async (
    what: Entry['what'],
    path: string,
    { runId = null as string | null, files = [path] } = {},
  ): Promise<Entry> => {
    const sizes = await Promise.all(files.map(bytesUnder))
    return { what, path, bytes: sizes.reduce((a, b) => a + b, 0), runId }
  }
  const folders = home.folders()
  const all = await Promise.all([
    ...folders.map((folder) => {
      const path = join(folder, FILE_NAME)
      return entry('database', path, { files: [path, `${path}-wal`, `${path}-shm`] })
    }),
    ...folders.flatMap((folder) =>
      home
        .store(folder)
        .runs()
        .map(({ id }) => entry('weights', join(folder, id), { runId: id })),
    ),
    entry('exports', join(home.folder, 'exports')),
    entry('spectra-cache', defaultCacheFolder()),
    entry('weight-cache', weightCacheFolder()),
    ...folders.map((folder) => entry('sweep-cells', join(folder, 'sweeps'))),
  ])
  return all.filter(({ bytes }) => bytes > 0)
}
