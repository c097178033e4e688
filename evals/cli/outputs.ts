/** @file `results.json` and `report.html`, from stored rows alone, written whole or not at all. */
import { mkdirSync, statSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { buildResults } from '../audit/results.ts'
import type { AuditRows } from '../contract/audit-rows.ts'
import type { Results } from '../contract/results.ts'
import { TouchstoneError } from '../errors.ts'
import { writeAtomically } from '../models/safetensors-write.ts'
import { renderReport } from '../reports/html.ts'

const WRITERS: Readonly<Record<string, (results: Results) => string>> = {
  '.json': (results) => `${JSON.stringify(results, null, 2)}\n`,
  '.html': renderReport,
}

const STANDARD = ['report.html', 'results.json']

/** Refuses what could only fail at the end of a long run. */
export function checkOutputs(files: readonly string[]): void {
  for (const file of files) {
    if (!(extname(file).toLowerCase() in WRITERS)) {
      throw new TouchstoneError('usage.invalid', {
        problem: `The format of ${file} is not known.`,
        remedy: `Name a file that ends in ${Object.keys(WRITERS).join(' or ')}.`,
      })
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

export async function writeOutputs(
  rows: AuditRows,
  folder: string,
  extra: readonly string[],
): Promise<Written> {
  const results = buildResults(rows)
  const files = [...STANDARD.map((name) => join(folder, name)), ...extra]
  for (const file of files) {
    const text = WRITERS[extname(file).toLowerCase()]!(results)
    try {
      mkdirSync(dirname(file), { recursive: true })
      await writeAtomically(file, [text])
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      throw new TouchstoneError('output.unwritable', { path: file, why: code ?? message })
    }
  }
  return { results, files }
}
