/** @file Reads a benchmark's JSONL file: UTF-8, one object a line, each row checked, identifiers unique. */
import { sha256 } from '../../files/digest.ts'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Sample } from '../../contract/rows.ts'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { canonicalJson } from '../../files/canonical-json.ts'
import { utf8 } from '../../files/text.ts'
import type { Benchmark } from '../benchmark.ts'

/** The samples of a bundled benchmark, from the file beside this room. */
export async function loadBundled(benchmark: Benchmark): Promise<Sample[]> {
  if (benchmark.bundled === undefined) {
    throw new Error(`internal: ${benchmark.name} has no bundled file`)
  }
  const url = new URL(`../../bundled/data/${benchmark.bundled}`, import.meta.url)
  return loadSamples(benchmark, fileURLToPath(url))
}

/** The samples in the JSONL file at `path`. Throws data.unreadable, data.empty or data.row, which name the file and the row. */
export async function loadSamples(benchmark: Benchmark, path: string): Promise<Sample[]> {
  const lines = decode(await readBytes(path), path)
    .split('\n')
    .map((line, index) => ({ line: line.trim(), row: index + 1 }))
    .filter(({ line }) => line !== '')
  if (lines.length === 0) throw new TouchstoneError('data.empty', { path })
  const ids = new Map<string, number>()
  const rows = lines.map(({ line, row }) => {
    const parsed = parseRow(benchmark, line, { path, row })
    const [sample] = benchmark.parse([parsed])
    const first = sample && ids.get(sample.id)
    if (first !== undefined) {
      const why = `the identifier "${sample!.id}" was used in row ${first}`
      throw new TouchstoneError('data.row', { path, row, why })
    }
    if (sample) ids.set(sample.id, row)
    return parsed
  })
  return benchmark.parse(rows)
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (cause) {
    const found = cause instanceof Error && 'code' in cause ? `${String(cause.code)}` : 'no file'
    const values = { path, found, expected: 'a readable file' }
    throw new TouchstoneError('data.unreadable', values, { cause })
  }
}

const decode = (bytes: Uint8Array, path: string) =>
  utf8(bytes, (found) => {
    const expected = 'UTF-8 text with one JSON object a line'
    return new TouchstoneError('data.unreadable', { path, found, expected })
  })

function parseRow(benchmark: Benchmark, line: string, at: { path: string; row: number }): unknown {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    throw new TouchstoneError('data.row', { ...at, why: 'the line is not JSON' })
  }
  const result = benchmark.row.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]!
  const field = issue.path.join('.')
  throw new TouchstoneError('data.row', {
    ...at,
    why: field === '' ? issue.message : `${field}: ${issue.message}`,
  })
}

/** sha256 in hexadecimal over the samples' canonical JSON, in their order. */
export function benchmarkDigest(samples: readonly Sample[]): string {
  return sha256(canonicalJson(samples))
}
