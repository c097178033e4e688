/** @file Opens a log of another tool as runs that can be compared; the format is recognised. */
import { open, readdir, stat } from 'node:fs/promises'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import type { ComparedRun } from '../findings/gate/compared-run.ts'
import { eeeSamplesPath, readEee } from './eee-read.ts'
import { readGarak } from './garak-read.ts'
import { readInspectLog } from './inspect-read.ts'
import { readLmEval } from './lm-eval-read.ts'
import type { Metrics } from './metrics.ts'
import { readPairedCsv } from './paired-csv.ts'
import { isPromptfoo, readPromptfoo } from './promptfoo-read.ts'

const SUPPORTED =
  'an Inspect log (.eval), a folder or results_*.json of lm-eval, a log of Every Eval Ever (.json, its samples beside it), a report of garak (.report.jsonl), results of promptfoo (.json), a paired table (.csv)'

/** Whether `path` looks like a log of another tool; `importRuns` checks it. */
export async function isForeignLog(path: string): Promise<boolean> {
  return (await readerOf(path)) !== undefined
}

/** One run a model state; a paired table holds several, the base first, and promptfoo's results one a provider. `metrics` gives the meaning of unknown metrics. */
export async function importRuns(path: string, metrics: Metrics = {}): Promise<ComparedRun[]> {
  const read = await readerOf(path)
  if (read) return read(path, metrics)
  throw new TouchstoneError('interchange.unrecognised', { path, supported: SUPPORTED })
}

type Reader = (path: string, metrics: Metrics) => Promise<ComparedRun[]>

async function readerOf(path: string): Promise<Reader | undefined> {
  const found = await stat(path).catch(() => undefined)
  const lmEval: Reader = async (from, metrics) => [await readLmEval(from, metrics)]
  if (!found) return undefined
  if (found.isDirectory()) return (await holdsResults(path)) ? lmEval : undefined
  if (/\.eval$/i.test(path)) return async (from, metrics) => [await readInspectLog(from, metrics)]
  if (/(?:^|[\\/])results_[^\\/]+\.json$/.test(path)) return lmEval
  if (/\.csv$/i.test(path)) return readPairedCsv
  if (/\.report\.jsonl$/i.test(path))
    return async (from, metrics) => [await readGarak(from, metrics)]
  if (/\.json$/i.test(path) && isPromptfoo(await beginningOf(path))) return readPromptfoo
  return (await isEee(path)) ? async (from, metrics) => [await readEee(from, metrics)] : undefined
}

/** By its name or the samples beside it. */
const isEee = async (path: string): Promise<boolean> =>
  /\.json$/i.test(path) &&
  (/\.eee\.json$/i.test(path) ||
    (await stat(eeeSamplesPath(path)).then(
      () => true,
      () => false,
    )))

/** As many bytes as tell one JSON from another. */
const BEGINNING = 200

async function beginningOf(path: string): Promise<string> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(BEGINNING), 0, BEGINNING, 0)
    return buffer.toString('utf8', 0, bytesRead)
  } finally {
    await file.close()
  }
}

async function holdsResults(folder: string): Promise<boolean> {
  return (await readdir(folder)).some((name) => /^results_.+\.json$/.test(name))
}
