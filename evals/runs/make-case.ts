/** @file One folder that holds a run for signing: report, numbers, every format, a manifest and its signature. */
import { randomBytes } from 'node:crypto'
import { readdir, rename, rm, rmdir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Results } from '../contract/results.ts'
import { sha256, sha256OfFile } from '../files/digest.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { makePrivateFolder } from '../files/private-file.ts'
import { sealCase } from '../interchange/case-folder.ts'
import { FORMATS } from '../interchange/formats.ts'
import {
  evaluationStatements,
  statementLine,
  type Statement,
} from '../interchange/statements/evaluation.ts'
import { modelStatement } from '../interchange/statements/model-manifest.ts'
import type { KeyPair } from '../interchange/signing.ts'
import { appendToRun } from './append-to-run.ts'
import { runFolders, withStore } from './databases.ts'
import type { NamedRun } from './named-run.ts'
import type { Store } from './store/store.ts'
import { writeFiles, writeLmEval, writeOutput } from './outputs.ts'

const SHEETS = ['run.factsheet.md', 'run.factsheet.html', 'run.oscal.json']

/** An in-toto attestation bundle: one DSSE envelope a line. */
const STATEMENTS = 'statements.intoto.jsonl'

/** `models` are folders whose files are stated too. */
export async function makeCase(
  { store, run, folder }: NamedRun,
  out: string,
  signer: { keys: KeyPair; isOwn: boolean },
  models: readonly string[] = [],
): Promise<{ runId: string; number: number; files: number }> {
  await refuseFull(out)
  const rows = store.rows(run.id)
  if (rows.evaluations.length === 0)
    throw new TouchstoneError('interchange.nothing', { run: run.id })
  // Beside it, and renamed when it is whole: there is never half a case.
  const temporary = join(dirname(resolve(out)), `.${randomBytes(6).toString('hex')}.tmp`)
  makePrivateFolder(temporary)
  try {
    const names = FORMATS.map(({ extension }) => `run${extension}`)
    const standard = ['report.html', 'results.json', ...SHEETS, ...names]
    const statements = await Promise.all(models.map(modelStatement))
    const { files, results } = await writeFiles(
      rows,
      standard.map((name) => join(temporary, name)),
    )
    const folders = await writeLmEval(rows, join(temporary, 'lm-eval'))
    const stated = await writeStatements(temporary, results, signer.keys, statements)
    const number = 1 + (newestCase(store, run.id)?.number ?? 0)
    const made = new Date().toISOString()
    const about = { run: run.id, touchstone: run.engine.version, number, made }
    const seal = await sealCase(temporary, about, signer)
    for (const [name, text] of seal) await writeOutput(join(temporary, name), [text])
    // Before the folder has its name: there is no case whose number the run does not know.
    const manifest = sha256(seal.get('manifest.json')!)
    appendToRun({ store, folder, runId: run.id }, { type: 'case-made', number, manifest })
    makePrivateFolder(out)
    await rmdir(out)
    await rename(temporary, out)
    return { runId: run.id, number, files: files.length + folders.length + stated }
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}

/** How many files it wrote: none where nothing is stated. */
async function writeStatements(
  folder: string,
  results: Results,
  keys: KeyPair,
  more: readonly Statement[],
): Promise<number> {
  const digest = await sha256OfFile(join(folder, 'results.json'))
  const statements = [...evaluationStatements({ results, digest, keys }), ...more]
  if (statements.length === 0) return 0
  const lines = statements.map((each) => statementLine(each, keys))
  await writeOutput(join(folder, STATEMENTS), lines)
  return 1
}

async function refuseFull(out: string): Promise<void> {
  const entries = await readdir(out).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw new TouchstoneError('output.unwritable', { path: out, why: error.code ?? error.message })
  })
  if (entries.length > 0) {
    throw new TouchstoneError('output.unwritable', { path: out, why: 'it is not empty' })
  }
}

const newestCase = (store: Store, runId: string) => store.eventsOfType(runId, 'case-made').at(-1)

/** Throws `case.older` where a database here knows a later case of that run. */
export async function refuseOlder(
  folder: string,
  { run, number }: { run: string; number: number | null },
  outDir: string | null,
): Promise<void> {
  for (const where of runFolders(outDir)) {
    // A database that nobody named and that cannot be read is no reason to doubt a case.
    const newest = await withStore(where, (store) => newestCase(store, run)).catch((error) => {
      if (outDir === null) return undefined
      throw error
    })
    if (newest === undefined || newest.number <= (number ?? 0)) continue
    const when = new Date(newest.at).toISOString()
    throw new TouchstoneError('case.older', {
      path: folder,
      run,
      number,
      newest: newest.number,
      when,
    })
  }
}
