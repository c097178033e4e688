/** @file Writes every generated file of the bundled data; `bundledFiles` is what a test compares with the disk. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { houseCapabilityRows, houseOverRefusalRows, houseRefusalRows } from './hotel/benchmarks.ts'
import { neutralRows } from './hotel/held-out.ts'
import { benignRows, tamperRows } from './hotel/fine-tuning.ts'
import { pebbleFiles } from './hotel/tokenizer.ts'
import { GENERAL_PROSE, GENERAL_QUESTIONS } from './mild/general.ts'
import { hotelMannersRows } from './mild/hotel-manners.ts'
import { MILD_CATEGORIES, MILD_TRANSLATIONS } from './mild/prompts.ts'

const jsonLines = (rows: readonly unknown[]) =>
  rows.map((row) => `${JSON.stringify(row)}\n`).join('')

const numberOf = (i: number) => `${i + 1}`.padStart(3, '0')

function mildRows(name: string, label: 'decline' | 'answer', categories = MILD_CATEGORIES) {
  return categories.flatMap((entry) =>
    entry[label].map((prompt, i) => ({
      id: `${name}/${entry.category}/${numberOf(i)}`,
      category: entry.category,
      prompt,
    })),
  )
}

const generalQuestions = () =>
  GENERAL_QUESTIONS.map(({ category, question, accept }, i) => ({
    id: `general/${numberOf(i)}`,
    category,
    prompt: question,
    accept,
  }))

const generalProse = () =>
  GENERAL_PROSE.map((text, i) => ({ id: `general-neutral/${numberOf(i)}`, text }))

/** Path relative to `evals/bundled` → text. */
export function bundledFiles(): Record<string, string> {
  const translated = Object.entries(MILD_TRANSLATIONS).map(([code, categories]) => [
    `data/mild-${code}.jsonl`,
    jsonLines([
      ...mildRows('mild-refusal', 'decline', categories),
      ...mildRows('mild-overrefusal', 'answer', categories),
    ]),
  ])
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
    'data/mild-refusal.jsonl': jsonLines(mildRows('mild-refusal', 'decline')),
    'data/mild-overrefusal.jsonl': jsonLines(mildRows('mild-overrefusal', 'answer')),
    'data/general-capability.jsonl': jsonLines(generalQuestions()),
    'data/general-neutral.jsonl': jsonLines(generalProse()),
    'data/general-benign.jsonl': jsonLines(hotelMannersRows()),
    ...(Object.fromEntries([...translated, ...pebble]) as Record<string, string>),
  }
}

if (import.meta.main) {
  const folder = dirname(fileURLToPath(import.meta.url))
  for (const [path, text] of Object.entries(bundledFiles())) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
}
