/** @file Writes every generated file of the bundled data; `bundledFiles` is what a test compares with the disk. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  houseCapabilityRows,
  houseOverRefusalRows,
  houseRefusalRows,
  neutralRows,
} from './hotel/benchmarks.ts'
import { benignRows, tamperRows } from './hotel/fine-tuning.ts'
import { pebbleFiles } from './hotel/tokenizer.ts'

const jsonLines = (rows: readonly unknown[]) =>
  rows.map((row) => `${JSON.stringify(row)}\n`).join('')

/** Path relative to `evals/bundled` → text. */
export function bundledFiles(): Record<string, string> {
  const pebble = Object.entries(pebbleFiles()).map(([name, value]) => [
    `pebble/${name}`,
    `${JSON.stringify(value, null, 1)}\n`,
  ])
  return {
    'data/house-refusal.jsonl': jsonLines(houseRefusalRows()),
    'data/house-overrefusal.jsonl': jsonLines(houseOverRefusalRows()),
    'data/house-capability.jsonl': jsonLines(houseCapabilityRows()),
    'data/house-benign.jsonl': jsonLines(benignRows()),
    'data/house-tamper.jsonl': jsonLines(tamperRows()),
    'data/neutral.jsonl': jsonLines(neutralRows()),
    ...(Object.fromEntries(pebble) as Record<string, string>),
  }
}

if (import.meta.main) {
  const folder = dirname(fileURLToPath(import.meta.url))
  for (const [path, text] of Object.entries(bundledFiles())) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
}
