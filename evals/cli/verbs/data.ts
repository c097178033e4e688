/** @file `touchstone data`: what fine-tuning data is, what is wrong with it, and what a model would learn of it. */
import { unknownName } from '../../errors/names.ts'
import { requireNamed } from '../../runs/options/flags.ts'
import { z } from 'zod'
import {
  lookThrough,
  openChoice,
  writeKept,
  type CheckedData,
  type CheckedSummary,
} from '../../inspect/checked-data.ts'
import { previewOf, type Preview } from '../../inspect/preview.ts'
import { modelPath } from '../../models/model-path.ts'
import { percent } from '../../contract/words.ts'
import { LINT_NAMES, type LintFinding } from '../../data/lint.ts'
import { TrainingConfig } from '../../finetune/training/train.ts'
import { plainText } from '../../document/plain-text.ts'
import { EngineConfig } from '../../measure/config.ts'
import { templateVariablesOf } from '../../models/text/template-variables.ts'
import { openModel } from '../../models/open-model.ts'
import { command } from '../command.ts'
import { file, optionalText } from '../../runs/options/common.ts'

const DataOptions = z.object({
  format: optionalText.meta({
    help: 'Read it as this format, whatever its columns say',
    value: 'NAME',
  }),
  map: optionalText.meta({
    help: 'What its columns hold: prompt=COLUMN,reply=COLUMN or text=COLUMN',
    value: 'COLUMNS',
  }),
  against: z
    .array(z.string())
    .default(['house', 'general'])
    .meta({ help: 'Suites or files whose prompts the data should not hold' }),
  model: optionalText.meta({
    help: 'Show rows as this model reads them, with what is learnt of them',
    value: 'PATH',
  }),
  templateVars: EngineConfig.shape.templateVars,
  show: z.int().min(0).max(100).default(3).meta({ help: 'How many rows to show' }),
  maxTokens: z.int().min(2).default(512).meta({ help: 'Longest row that training will take' }),
  truncation: TrainingConfig.shape.truncation.meta({
    help: 'What training will do with longer rows',
  }),
  drop: z.array(z.string()).default([]).meta({ help: 'Findings whose rows the copy leaves out' }),
  output: optionalText.meta({
    help: 'Write the usable rows as JSON Lines of {"messages"} or {"text"}',
    ...file,
  }),
})
type Options = z.infer<typeof DataOptions>

export const data = command({
  schema: DataOptions,
  positionals: 'FILE',
  examples: [
    'touchstone data rows.jsonl --model ./SmolLM2-135M-Instruct',
    'touchstone data sheet.csv --map prompt=question,reply=answer -o rows.jsonl',
    'touchstone data rows.jsonl --drop evaluation-near-duplicate,empty -o clean.jsonl',
    'touchstone data huge.jsonl#20000 -o sample.jsonl',
  ],
  remark:
    'Reads OpenAI chat, ShareGPT, Alpaca, preference pairs, prompt/reply rows, texts with a label and raw text as JSONL, JSON, CSV, Parquet or .txt, row by row however large the file is; FILE#N is a sample of N rows.',
  async run({ options, named, io, tell }) {
    const remedy = 'Name a JSONL, JSON, CSV, Parquet or text file.'
    const path = requireNamed(named[0], 'No file was named.', remedy)
    options.drop.forEach(requireFinding)
    const { format, map } = options
    const opened = await openChoice({ source: path, format, map })
    const { summary, findings } = await lookThrough(opened, options.against)
    const shown = { path, data: opened, summary, findings }
    const previews = await previewsOf(opened, options)
    tell(asJson(shown, previews), wordsOf(shown, previews))
    const { output, drop } = options
    if (output === null) return
    const { rows, dropped } = await writeKept(opened, output, findings, drop)
    io.stderr.write(`${output}: ${rows} rows written, ${dropped} left out.\n`)
  },
})

interface Shown {
  readonly path: string
  readonly data: CheckedData
  readonly summary: CheckedSummary
  readonly findings: readonly LintFinding[]
}

function requireFinding(name: string): void {
  if (!LINT_NAMES.includes(name)) throw unknownName('finding', name, LINT_NAMES)
}

async function previewsOf(data: CheckedData, { model, templateVars, show, ...limits }: Options) {
  if (model === null) return []
  const { rows } = await data.page(0, show)
  const open = await openModel(modelPath(model), templateVariablesOf(templateVars))
  try {
    const previews: (Preview & { row: number })[] = []
    for (const { row, messages } of rows)
      previews.push({ row, ...(await previewOf(open, messages, limits)) })
    return previews
  } finally {
    await open.close()
  }
}

const asJson = ({ path, data, summary, findings }: Shown, previews: readonly Preview[]) => ({
  type: 'data',
  path,
  format: data.format?.name ?? null,
  ...summary,
  notes: [...summary.notes].map(([what, numbers]) => ({ what, rows: numbers })),
  findings,
  previews: previews.map(({ messages: _, ...preview }) => preview),
})

const MOST_NUMBERS = 12
const numbersOf = (rows: readonly number[]): string => {
  const shown = rows.slice(0, MOST_NUMBERS).join(', ')
  return rows.length > MOST_NUMBERS ? `${shown} and ${rows.length - MOST_NUMBERS} more` : shown
}

function wordsOf(
  { path, data, summary: { digest, total, usable, unusable, notes }, findings }: Shown,
  previews: readonly (Preview & { row: number })[],
): string {
  const form = data.format?.title ?? 'bundled'
  const lines = [
    `${path}: ${total} rows, ${form}; ${usable} can be learnt from`,
    `  sha256 ${digest}`,
    ...Array.from(
      notes,
      ([what, rows]) => `  left out: ${what} in ${rows.length} rows (${numbersOf(rows)})`,
    ),
    ...unusableLines(unusable),
    ...findings.flatMap(({ name, title, advice, rows, share }) => [
      `${name}: ${rows.length} rows, ${percent(share)} (${numbersOf(rows)})`,
      `  ${title}. ${advice}`,
    ]),
    ...(findings.length === 0 ? ['No finding.'] : []),
    ...(previews.length > 0 ? ['What is learnt stands between « and »:'] : []),
    ...previews.flatMap(previewLines),
  ]
  return lines.map((line) => `${indentOf(line)}${plainText(line, 4000)}\n`).join('')
}

/** `plainText` trims, so the indent is kept apart. */
const indentOf = (line: string) => (line.startsWith(' ') ? '  ' : '')

function unusableLines(unusable: CheckedSummary['unusable']): string[] {
  const [first] = unusable
  if (!first) return []
  const numbers = numbersOf(unusable.map(({ row }) => row))
  return [`  unusable: ${unusable.length} rows (${numbers}); row ${first.row}: ${first.why}`]
}

function previewLines({
  row,
  segments,
  tokens,
  learntTokens,
  cutTokens,
}: Preview & { row: number }) {
  const cut = cutTokens > 0 ? `, ${cutTokens} of them cut` : ''
  const text = segments.map((each) => (each.isLearnt ? `«${each.text}»` : each.text)).join('')
  return [
    `row ${row}: ${tokens} tokens${cut}, ${learntTokens} learnt`,
    ...text.split('\n').map((line) => `  | ${line}`),
  ]
}
