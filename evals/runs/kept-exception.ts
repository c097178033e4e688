/**
 * @file Whether weights at a path were kept against the rule: by the note beside them, or by the log of the run that made
 * them, where its database lies in a folder above. Whoever hands them on gives a reason, which that log keeps.
 */
import { dirname, join, resolve } from 'node:path'
import { exceptionIn } from '../arms/weights-exception.ts'
import { digestOfFile } from '../measure/base.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { plainText } from '../document/plain-text.ts'
import { exists } from '../files/read-file.ts'
import { lockFolder } from './store/lock.ts'
import type { Store } from './store/store.ts'
import { FILE_NAME, withStore } from './databases.ts'

interface Exception {
  readonly because: string
  /** Null where the weights lie apart from the run that made them. */
  readonly run: { readonly id: string; readonly folder: string } | null
}

const WEIGHTS = ['adapter_model.safetensors', 'model.safetensors']
/** `OUT/RUN/arms/ARM`, with one to spare. */
const LEVELS = 4
const SAYS = /^The weights of (?<named>.+) were kept although (?<because>.+?)\. Reason given: /su

export async function exceptionOf(path: string): Promise<Exception | null> {
  const noted = await exceptionIn(path)
  const logged = await loggedException(path)
  if (logged !== null) return logged
  return noted === null ? null : { because: noted, run: null }
}

async function loggedException(path: string): Promise<Exception | null> {
  let folder = resolve(path)
  for (let level = 0; level < LEVELS; level++) {
    folder = dirname(folder)
    if (!(await exists(join(folder, FILE_NAME)))) continue
    const digests = await digestsOf(path)
    const found = await withStore(folder, (store) => storedException(store, digests))
    return found && { because: found.because, run: { id: found.id, folder } }
  }
  return null
}

async function digestsOf(path: string): Promise<ReadonlySet<string>> {
  const files = WEIGHTS.map((name) => join(path, name))
  const there = await Promise.all(files.map(exists))
  return new Set(await Promise.all(files.filter((_, i) => there[i]).map(digestOfFile)))
}

function storedException(
  store: Store,
  digests: ReadonlySet<string>,
): { id: string; because: string } | null {
  for (const { id } of store.runs()) {
    const kept = store.rows(id).artifacts.filter(({ digest }) => digests.has(digest))
    if (kept.length === 0) continue
    const log = store.pages.events(id, { afterSeq: 0, types: ['log'], limit: 10_000 })
    for (const event of log) {
      const said = event.type === 'log' ? SAYS.exec(event.message)?.groups : undefined
      const isOfThese = kept.some(({ role }) => role === `weights of ${said?.['named']}`)
      if (isOfThese) return { id, because: said!['because']! }
    }
  }
  return null
}

/** Throws where a reason is needed and none is given; otherwise the run's log has it before a file is written. */
export async function acceptException(
  path: string,
  { because, run }: Exception,
  reason: string | null,
): Promise<void> {
  if (reason === null) throw new TouchstoneError('export.need-reason', { path, because })
  if (run === null) return
  const message = `Weights that should have been deleted (${because}) were exported. Reason given: ${plainText(reason, 500)}`
  await withStore(run.folder, (store) => logWarning(store, run, message))
}

/** Into the log of a run that has ended; refused while a job writes there. */
export function logWarning(
  store: Store,
  { id, folder }: { readonly id: string; readonly folder: string },
  message: string,
): void {
  // A job that still writes would use the same number for its next event.
  const unlock = lockFolder(folder)
  try {
    const seq = store.lastSeq(id) + 1
    store.sink.event({ runId: id, seq, at: Date.now(), type: 'log', level: 'warn', message })
    store.sink.flush()
  } finally {
    unlock()
  }
}
