/** @file `touchstone import`: what a benchmark file is. */
import { requireNamed } from '../../../runs/options/flags.ts'
import { join } from 'node:path'
import { z } from 'zod'
import {
  describeFile,
  type FileDescription,
  type FoundBenchmark,
} from '../../../measure/import-file.ts'
import { clustersText } from '../../../measure/sample-clusters.ts'
import type { JudgePanel } from '../../../measure/judge-panel.ts'
import { plainText } from '../../../document/plain-text.ts'
import { openStore } from '../../../runs/store/store.ts'
import { command } from '../../command.ts'
import { FILE_NAME } from '../../../runs/databases.ts'
import { optionalText, text } from '../../../runs/options/common.ts'

const ImportOptions = z.object({
  as: optionalText.meta({
    help: 'Read it as this benchmark, whatever its columns say',
    value: 'NAME',
  }),
  map: optionalText.meta({
    help: 'What its columns hold: prompt=COLUMN,expected=refuse',
    value: 'COLUMNS',
  }),
  outDir: text
    .default(join('out', 'import'))
    .meta({ help: 'Folder of the database that keeps its identity and knows other files' }),
})

export const importFile = command({
  schema: ImportOptions,
  positionals: 'FILE',
  examples: [
    'touchstone import downloads/xstest_prompts.csv',
    'touchstone import rows.csv --map prompt=question,category=topic,cluster=template,expected=comply',
  ],
  remark:
    'Keeps names, digests and hashes, never a prompt; eval and audit read the file itself with --suite.',
  async run({ options: { as, map, outDir }, named, tell }) {
    const remedy = 'Name a CSV, JSON, JSONL, Parquet or text file, or a folder of MMLU.'
    const path = requireNamed(named[0], 'No file was named.', remedy)
    // Read before anything is created, so that a wrong path leaves nothing behind.
    await describeFile({ path, family: as, map }, [])
    const store = openStore(join(outDir, FILE_NAME))
    try {
      const known = store.evidence.benchmarkFiles()
      const description = await describeFile({ path, family: as, map }, known)
      store.evidence.keepBenchmarkFiles(description.benchmarks.map(({ file }) => file))
      tell(withoutHashes(description), wordsOf(description))
    } finally {
      store.close()
    }
  },
})

const withoutHashes = (description: FileDescription) => ({
  ...description,
  benchmarks: description.benchmarks.map(({ file, ...rest }) => {
    const { promptHashes, ...identity } = file
    return { ...identity, distinctPrompts: promptHashes.length, ...rest }
  }),
})

function wordsOf(description: FileDescription): string {
  return linesOf(description)
    .map((line) => `${line.startsWith(' ') ? '  ' : ''}${plainText(line, LONGEST_LINE)}\n`)
    .join('')
}

function linesOf({
  table,
  rows,
  leftOut,
  benchmarks,
  preview,
  panel,
  text: plain,
}: FileDescription) {
  const head = [
    `${table.path}: ${rows} rows, ${table.format}, ${table.bytes} bytes`,
    `  sha256     ${table.digest}`,
  ]
  if (plain) {
    const name = benchmarks[0]!.file.name
    return [
      ...head,
      `  perplexity ${name}: ${plain.words} words, ${plain.textBytes} bytes of text in UTF-8`,
    ]
  }
  const replaced = table.replaced > 0
  return [
    ...head,
    `  columns    ${table.columns.join(', ')}`,
    ...(replaced ? [`  broken     ${table.replaced} sequences that are not UTF-8`] : []),
    ...leftOut.map(({ why, rows: count }) => `  left out   ${count} rows: ${why}`),
    ...benchmarks.flatMap((benchmark) => [
      ...benchmarkLines(benchmark),
      ...preview.filter((row) => row.benchmark === benchmark.file.name).map(previewLine),
    ]),
    ...(panel ? panelLines(panel) : []),
  ]
}

const LONGEST_LINE = 2000
const MOST_CATEGORIES = 60
/** Characters of a previewed row, so that it fits a line of a terminal. */
const LONGEST_CATEGORY = 20
const PREVIEWED_LINE = 60

function previewLine({ category, expected, prompt }: FileDescription['preview'][number]): string {
  const shown = plainText(prompt, PREVIEWED_LINE)
  return `  as ${expected.padEnd(8)}${plainText(category, LONGEST_CATEGORY)}: ${shown}`
}

function benchmarkLines({
  file,
  role,
  reading,
  categories,
  clusters,
  overlaps,
}: FoundBenchmark): string[] {
  const names = Object.entries(categories)
  const shown = names.slice(0, MOST_CATEGORIES).map(([name, count]) => `${name} ${count}`)
  const more = names.length > MOST_CATEGORIES ? `, and ${names.length - MOST_CATEGORIES} more` : ''
  const shared = overlaps.map(({ name, shared: count }) => `${count} with ${name}`)
  return [
    `${file.name}: ${file.samples} prompts, role ${role}`,
    `  digest     ${file.digest}`,
    ...(reading === null ? [] : [`  labels     ${reading}`]),
    `  categories ${shown.join(', ')}${more}`,
    ...(clusters ? [`  clusters   ${clustersText(clusters)}`] : []),
    `  distinct   ${file.promptHashes.length} prompts`,
    `  licence    ${file.licences.join(', ') || 'the file states none'}`,
    `  overlap    ${shared.join(', ') || 'none with the files that this folder knows'}`,
  ]
}

function panelLines({ humanRate, judges, humanKappas }: JudgePanel): string[] {
  const share = (value: number | null) => (value === null ? '–' : `${(value * 100).toFixed(1)} %`)
  return [
    `judge comparison: people call ${share(humanRate)} jailbroken`,
    ...judges.map(
      ({ judge, recall, falsePositiveRate, precision, f1, rate }) =>
        `  ${judge}: recall ${share(recall)}, false positives ${share(falsePositiveRate)}, precision ${share(precision)}, F1 ${share(f1)}, reports ${share(rate)}`,
    ),
    ...humanKappas.map(
      ({ a, b, kappa }) => `  ${a} and ${b}: Cohen’s κ ${kappa === null ? '–' : kappa.toFixed(3)}`,
    ),
  ]
}
