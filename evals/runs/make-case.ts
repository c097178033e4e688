/** @file One folder that holds a run for signing: report, numbers, every format, a manifest and its signature. */
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { sealCase } from '../interchange/case-folder.ts'
import { FORMATS } from '../interchange/formats.ts'
import type { KeyPair } from '../interchange/signing.ts'
import type { NamedRun } from './named-run.ts'
import { writeFiles, writeLmEval, writeOutput } from './outputs.ts'

export async function makeCase(
  { store, run }: NamedRun,
  out: string,
  signer: { keys: KeyPair; isOwn: boolean },
): Promise<{ runId: string; files: number }> {
  await refuseFull(out)
  const rows = store.rows(run.id)
  if (rows.evaluations.length === 0)
    throw new TouchstoneError('interchange.nothing', { run: run.id })
  // Beside it, and renamed when it is whole: there is never half a case.
  const temporary = join(dirname(resolve(out)), `.${randomBytes(6).toString('hex')}.tmp`)
  mkdirSync(temporary, { recursive: true })
  try {
    const names = FORMATS.map(({ extension }) => `run${extension}`)
    const standard = ['report.html', 'results.json', ...names]
    const { files } = await writeFiles(
      rows,
      standard.map((name) => join(temporary, name)),
    )
    const folders = await writeLmEval(rows, join(temporary, 'lm-eval'))
    const about = { run: run.id, touchstone: run.engine.version }
    const seal = await sealCase(temporary, about, signer)
    for (const [name, text] of seal) await writeOutput(join(temporary, name), [text])
    await mkdir(out, { recursive: true })
    await rmdir(out)
    await rename(temporary, out)
    return { runId: run.id, files: files.length + folders.length }
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
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
