/**
 * @file Whether weights at a path should have been deleted: known from the note beside them, or from the database of the run
 * that made them, in a folder above. Exporting them needs a reason, which that run's log keeps.
 */
import { dirname, join, resolve } from 'node:path'
import { z } from 'zod'
import { exceptionIn } from '../arms/weights-exception.ts'
import { sha256OfFile } from '../files/digest.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { plainText } from '../document/plain-text.ts'
import { exists } from '../files/read-file.ts'
import { candidatesOf, sourcesIn } from '../measure/derived/specs.ts'
import { appendToRun } from './append-to-run.ts'
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
  return new Set(await Promise.all(files.filter((_, i) => there[i]).map(sha256OfFile)))
}

function storedException(
  store: Store,
  digests: ReadonlySet<string>,
): { id: string; because: string } | null {
  for (const { id } of store.runs()) {
    for (const { digest, reasonToDelete } of store.weights(id)) {
      const isOfThese = digest !== null && digests.has(digest)
      if (isOfThese && reasonToDelete !== null) return { id, because: reasonToDelete }
    }
  }
  return null
}

/**
 * Why weights at any of the paths should have been deleted; null where none should. Throws `export.need-reason` without a reason;
 * otherwise the reason is in the log of each run that made them before anything is written.
 */
export async function acceptExceptions(
  paths: readonly string[],
  reason: string | null,
): Promise<string | null> {
  const found = await Promise.all(paths.map(exceptionOf))
  for (const [i, exception] of found.entries())
    if (exception) await acceptException(paths[i]!, exception, reason)
  return found.find((each) => each !== null)?.because ?? null
}

const Composing = z.object({
  candidates: z.array(z.string()),
  merge: z.array(z.string()).optional(),
  generate: z.array(z.string()).optional(),
  accept: z.string().nullable().optional(),
})

/** The same for adapters that a job merges or generates from: what is made of them is asked, and is in memory alone. */
export async function acceptComposed(config: unknown): Promise<void> {
  const { sources, accept } = await composedIn(config)
  await acceptExceptions(sources, accept)
}

/** Throws what `acceptComposed` would, and logs nothing: for a plan. */
export async function requireAccepted(config: unknown): Promise<void> {
  const { sources, accept } = await composedIn(config)
  if (accept !== null) return
  for (const path of sources) {
    const found = await exceptionOf(path)
    if (found) throw new TouchstoneError('export.need-reason', { path, because: found.because })
  }
}

async function composedIn(config: unknown) {
  const asked = Composing.safeParse(config)
  if (!asked.success) return { sources: [], accept: null }
  const { accept = null, ...named } = asked.data
  const all = candidatesOf(named)
  const sources = await Promise.all(all.map(sourcesIn))
  const composed = sources.filter((own, i) => own[0] !== all[i])
  return { sources: [...new Set(composed.flat())], accept }
}

async function acceptException(
  path: string,
  { because, run }: Exception,
  reason: string | null,
): Promise<void> {
  if (reason === null) throw new TouchstoneError('export.need-reason', { path, because })
  if (run === null) return
  const { id: runId, folder } = run
  await withStore(folder, (store) =>
    appendToRun(
      { store, folder, runId },
      { type: 'weights-handed-out', reasonToDelete: because, reason: plainText(reason, 500) },
    ),
  )
}
