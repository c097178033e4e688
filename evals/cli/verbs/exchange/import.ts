/** @file `touchstone import`: what a benchmark file is. */
import { parseNamed, requireNamed } from '../../../runs/options/flags.ts'
import { join } from 'node:path'
import { z } from 'zod'
import {
  describeFile,
  type FileDescription,
  type FoundBenchmark,
} from '../../../measure/import-file.ts'
import type { JudgePanel } from '../../../measure/judge-panel.ts'
import { plainText } from '../../../document/plain-text.ts'
import { openStore } from '../../../runs/store/store.ts'
import type { Command, Io } from '../../command.ts'
import { FILE_NAME } from '../../../runs/databases.ts'
import { fieldsOf } from '../../../runs/options/fields.ts'

const ImportOptions = z.object({
  as: z.string().min(1).nullable().default(null).meta({
    help: 'Read it as this benchmark, whatever its columns say',
    value: 'NAME',
  }),
  map: z.string().min(1).nullable().default(null).meta({
    help: 'What its columns hold: prompt=COLUMN,expected=refuse',
    value: 'COLUMNS',
  }),
  outDir: z
    .string()
    .min(1)
    .default(join('out', 'import'))
    .meta({ help: 'Folder of the database that keeps its identity and knows other files' }),
  json: z.boolean().default(false).meta({ help: 'One line of JSON on standard output' }),
})
const fields = fieldsOf(ImportOptions)

export const importFile: Command = {
  name: 'import',
  summary: 'Says what a benchmark file is: rows, categories, digest, overlap with others, licence.',
  positionals: 'FILE',
  examples: [
    'touchstone import downloads/xstest_prompts.csv',
    'touchstone import rows.csv --map prompt=question,category=topic,expected=comply',
  ],
  options: [{ title: 'Options', fields }],
  remark:
    'Keeps names, digests and hashes, never a prompt; eval and audit read the file itself with --suite.',
  async run(argv, io) {
    const { options, named } = parseNamed(ImportOptions, fields, argv, io)
    const { as, map, outDir, json } = options
    const remedy = 'Name a CSV, JSON, JSONL, Parquet or text file, or a folder of MMLU.'
    const path = requireNamed(named[0], 'No file was named.', remedy)
    // Read before anything is created, so that a wrong path leaves nothing behind.
    await describeFile({ path, family: as, map }, [])
    const store = openStore(join(outDir, FILE_NAME))
    try {
      const known = store.evidence.benchmarkFiles()
      const description = await describeFile({ path, family: as, map }, known)
      store.evidence.keepBenchmarkFiles(description.benchmarks.map(({ file }) => file))
      if (json) io.stdout.write(`${JSON.stringify(withoutHashes(description))}\n`)
      else print(description, io)
    } finally {
      store.close()
    }
    return 0
  },
}

const withoutHashes = (description: FileDescription) => ({
  ...description,
  benchmarks: description.benchmarks.map(({ file, ...rest }) => {
    const { promptHashes, ...identity } = file
    return { ...identity, distinctPrompts: promptHashes.length, ...rest }
  }),
})

function print(
  { table, rows, leftOut, benchmarks, preview, panel, text }: FileDescription,
  { stdout }: Io,
): void {
  const line = (text: string) => {
    const indent = text.startsWith(' ') ? '  ' : ''
    stdout.write(`${indent}${plainText(text, LONGEST_LINE)}\n`)
  }
  line(`${table.path}: ${rows} rows, ${table.format}, ${table.bytes} bytes`)
  line(`  sha256     ${table.digest}`)
  if (text) {
    const name = benchmarks[0]!.file.name
    line(`  perplexity ${name}: ${text.words} words, ${text.textBytes} bytes of text in UTF-8`)
    return
  }
  line(`  columns    ${table.columns.join(', ')}`)
  if (table.replaced > 0) line(`  broken     ${table.replaced} sequences that are not UTF-8`)
  for (const { why, rows: count } of leftOut) line(`  left out   ${count} rows: ${why}`)
  for (const benchmark of benchmarks) {
    printBenchmark(benchmark, line)
    const own = preview.filter((row) => row.benchmark === benchmark.file.name)
    for (const { category, expected, prompt } of own) {
      const shown = plainText(prompt, PREVIEWED_LINE)
      line(`  as ${expected.padEnd(8)}${plainText(category, LONGEST_CATEGORY)}: ${shown}`)
    }
  }
  if (panel) printPanel(panel, line)
}

const LONGEST_LINE = 2000
const MOST_CATEGORIES = 60
/** Of a previewed row, so that it keeps to a line of a terminal. */
const LONGEST_CATEGORY = 20
const PREVIEWED_LINE = 60

function printBenchmark(
  { file, role, categories, overlaps }: FoundBenchmark,
  line: (text: string) => void,
): void {
  const names = Object.entries(categories)
  const shown = names.slice(0, MOST_CATEGORIES).map(([name, count]) => `${name} ${count}`)
  const more = names.length > MOST_CATEGORIES ? `, and ${names.length - MOST_CATEGORIES} more` : ''
  const shared = overlaps.map(({ name, shared: count }) => `${count} with ${name}`)
  line(`${file.name}: ${file.samples} prompts, role ${role}`)
  line(`  digest     ${file.digest}`)
  line(`  categories ${shown.join(', ')}${more}`)
  line(`  distinct   ${file.promptHashes.length} prompts`)
  line(`  licence    ${file.licences.join(', ') || 'the file states none'}`)
  line(`  overlap    ${shared.join(', ') || 'none with the files that this folder knows'}`)
}

function printPanel({ humanRate, judges, humanKappas }: JudgePanel, line: (t: string) => void) {
  const percent = (value: number | null) => (value === null ? '–' : `${(value * 100).toFixed(1)} %`)
  line(`judge comparison: people call ${percent(humanRate)} jailbroken`)
  for (const { judge, recall, falsePositiveRate, precision, f1, rate } of judges) {
    line(
      `  ${judge}: recall ${percent(recall)}, false positives ${percent(falsePositiveRate)}, precision ${percent(precision)}, F1 ${percent(f1)}, reports ${percent(rate)}`,
    )
  }
  for (const { a, b, kappa } of humanKappas)
    line(`  ${a} and ${b}: Cohen’s κ ${kappa === null ? '–' : kappa.toFixed(3)}`)
}
