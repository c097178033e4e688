/** @file `results.json`, `report.html` and the formats of other tools, from stored rows alone, each written whole or not at all. */
import { statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { factSheetMarkdown, factSheetPage } from '../document/fact-sheet.ts'
import { factSheet } from '../findings/fact-sheet/fact-sheet.ts'
import type { Given } from '../findings/fact-sheet/training.ts'
import { oscalResults } from '../interchange/statements/oscal.ts'
import { buildResults } from '../findings/results.ts'
import type { AuditRows } from '../contract/audit-rows.ts'
import type { Results } from '../contract/results.ts'
import { TouchstoneError, usageError } from '../errors/touchstone-error.ts'
import { FORMATS, formatOf, lmEvalFolders, type Exported } from '../interchange/formats.ts'
import { modelIndex } from '../interchange/model-index.ts'
import { makePrivateFolder, OWNER_ALONE } from '../files/private-file.ts'
import { writeAtomically } from '../files/write-file.ts'
import { renderFigures } from '../document/figures-svg.ts'
import { renderReport } from '../document/html.ts'
import { resultsDigest, resultsText } from '../document/results-text.ts'
import { renderMarkdown } from '../document/markdown.ts'
import { withCells } from '../sweeps/results.ts'
import { files, text } from './options/common.ts'

type Writer = (results: Results, given: Given) => string

/** By the end of the file's name; the first that fits. */
const WRITERS: Readonly<Record<string, Writer>> = {
  '.factsheet.md': (...sheet) => factSheetMarkdown(factSheet(...sheet)),
  '.factsheet.html': (...sheet) => factSheetPage(factSheet(...sheet)),
  '.oscal.json': (results, given) =>
    oscalResults(factSheet(results, given), results, resultsDigest(results)),
  '.json': resultsText,
  '.html': renderReport,
  '.modelcard.md': (results) => `---\n${modelIndex(results)}---\n\n${renderMarkdown(results)}`,
  '.md': renderMarkdown,
  '.svg': (results) => renderFigures(results) ?? refuseWithoutFigures(),
}

const refuseWithoutFigures = (): never => {
  throw usageError(
    'This run has no figure: an .svg shows the test errors of a sweep along its axes.',
    'Name a file of another format, or a sweep with at least three places and three seeds.',
  )
}

const writerOf = (file: string): Writer | undefined =>
  Object.entries(WRITERS).find(([ending]) => file.toLowerCase().endsWith(ending))?.[1]

const STANDARD = ['report.html', 'results.json']

const UNKNOWN_BASE: Given = { baseFlops: null }

/** For help and errors: `.json, .html, .eval, …`. */
export const EXTENSIONS: readonly string[] = [
  ...Object.keys(WRITERS),
  ...FORMATS.map(({ extension }) => extension),
]

/** `-o FILE`, as often as wanted. It acts on one command, so no variable of the environment gives it. */
export const outputOption = z
  .array(text)
  .default([])
  .meta({ help: `A further file, by its ending: ${EXTENSIONS.join(' ')}`, ...files, once: true })

/** Refuses what could only fail at the end of a long run. */
export function checkOutputs(files: readonly string[]): void {
  for (const file of files) {
    if (!formatOf(file) && !writerOf(file)) {
      throw usageError(
        `The format of ${file} is not known.`,
        `Name a file that ends in ${EXTENSIONS.join(', ')}.`,
      )
    }
    if (statSync(file, { throwIfNoEntry: false })?.isDirectory()) {
      throw new TouchstoneError('output.unwritable', { path: file, why: 'it is a folder' })
    }
  }
}

export interface Written {
  readonly results: Results
  readonly files: readonly string[]
}

/** `results.json` and `report.html` in `folder`, and what was asked for besides. */
export async function writeOutputs(
  rows: AuditRows,
  folder: string,
  extra: readonly string[],
): Promise<Written> {
  return writeFiles(rows, [...STANDARD.map((name) => join(folder, name)), ...extra])
}

/** One file of most formats; several where a format holds less than a run. */
export async function writeFiles(
  rows: AuditRows,
  wanted: readonly string[],
  given = UNKNOWN_BASE,
): Promise<Written> {
  const results = withCells(buildResults(rows), rows)
  const files: string[] = []
  for (const file of wanted) {
    for (const { name, parts } of await contentsOf(file, { rows, results, given })) {
      await writeOutput(name, parts)
      files.push(name)
    }
  }
  return { results, files }
}

interface Contents {
  readonly rows: AuditRows
  readonly results: Results
  readonly given: Given
}

async function contentsOf(file: string, { rows, results, given }: Contents): Promise<Exported[]> {
  const format = formatOf(file)
  if (!format) return [{ name: file, parts: [writerOf(file)!(results, given)] }]
  const stem = file.slice(0, -format.extension.length)
  const exported = await format.write(rows, results)
  return exported.map(({ name, parts }) => ({ name: `${stem}${name}`, parts }))
}

/** A folder that lm-evaluation-harness could have written, one inner folder a model state. */
export async function writeLmEval(rows: AuditRows, folder: string): Promise<string[]> {
  const files = lmEvalFolders(rows).map(({ name, parts }) => ({ file: join(folder, name), parts }))
  for (const { file, parts } of files) await writeOutput(file, parts)
  return files.map(({ file }) => file)
}

/** For the owner alone, since most formats hold replies. */
export async function writeOutput(
  file: string,
  parts: readonly (string | Uint8Array)[],
): Promise<void> {
  try {
    makePrivateFolder(dirname(file))
    await writeAtomically(file, parts, OWNER_ALONE)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new TouchstoneError('output.unwritable', { path: file, why: code ?? message })
  }
}
