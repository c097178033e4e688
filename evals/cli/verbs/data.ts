/** @file `touchstone data`: what fine-tuning data is, what is wrong with it, and what a model would learn of it. */
import { unknownName } from '../../errors/touchstone-error.ts'
import { parseNamed, requireNamed } from '../../runs/options/flags.ts'
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
import { openModel } from '../../models/open-model.ts'
import type { Command, Io } from '../command.ts'
import { fieldsOf } from '../../runs/options/fields.ts'

const DataOptions = z.object({
  format: z.string().min(1).nullable().default(null).meta({
    help: 'Read it as this format, whatever its columns say',
    value: 'NAME',
  }),
  map: z.string().min(1).nullable().default(null).meta({
    help: 'What its columns hold: prompt=COLUMN,reply=COLUMN or text=COLUMN',
    value: 'COLUMNS',
  }),
  against: z
    .array(z.string())
    .default(['house', 'general'])
    .meta({ help: 'Suites or files whose prompts the data should not hold' }),
  model: z.string().min(1).nullable().default(null).meta({
    help: 'Show rows as this model reads them, with what is learnt of them',
    value: 'PATH',
  }),
  show: z.int().min(0).max(100).default(3).meta({ help: 'How many rows to show' }),
  maxTokens: z.int().min(2).default(512).meta({ help: 'Longest row that training will take' }),
  truncation: TrainingConfig.shape.truncation.meta({
    help: 'What training will do with longer rows',
  }),
  drop: z.array(z.string()).default([]).meta({ help: 'Findings whose rows the copy leaves out' }),
  output: z.string().min(1).nullable().default(null).meta({
    help: 'Write the usable rows as JSON Lines of {"messages"} or {"text"}',
    value: 'FILE',
    short: 'o',
  }),
  json: z.boolean().default(false).meta({ help: 'One line of JSON on standard output' }),
})
type Options = z.infer<typeof DataOptions>
const fields = fieldsOf(DataOptions)

export const data: Command = {
  name: 'data',
  summary: 'Says what fine-tuning data is, what is wrong with it, and what is learnt of it.',
  positionals: 'FILE',
  examples: [
    'touchstone data rows.jsonl --model ./SmolLM2-135M-Instruct',
    'touchstone data sheet.csv --map prompt=question,reply=answer -o rows.jsonl',
    'touchstone data rows.jsonl --drop evaluation-near-duplicate,empty -o clean.jsonl',
    'touchstone data huge.jsonl#20000 -o sample.jsonl',
  ],
  options: [{ title: 'Options', fields }],
  remark:
    'Reads OpenAI chat, ShareGPT, Alpaca, preference pairs, prompt/reply rows, texts with a label and raw text as JSONL, JSON, CSV, Parquet or .txt, row by row however large the file is; FILE#N is a sample of N rows.',
  async run(argv, io) {
    const { options, named } = parseNamed(DataOptions, fields, argv, io)
    const remedy = 'Name a JSONL, JSON, CSV, Parquet or text file.'
    const path = requireNamed(named[0], 'No file was named.', remedy)
    options.drop.forEach(requireFinding)
    const { format, map } = options
    const opened = await openChoice({ source: path, format, map })
    const { summary, findings } = await lookThrough(opened, options.against)
    const shown = { path, data: opened, summary, findings }
    const previews = await previewsOf(opened, options)
    if (options.json) io.stdout.write(`${JSON.stringify(asJson(shown, previews))}\n`)
    else print(shown, previews, io)
    if (options.output !== null) await writeRows(options.output, shown, options, io)
    return 0
  },
}

interface Shown {
  readonly path: string
  readonly data: CheckedData
  readonly summary: CheckedSummary
  readonly findings: readonly LintFinding[]
}

function requireFinding(name: string): void {
  if (!LINT_NAMES.includes(name)) throw unknownName('finding', name, LINT_NAMES)
}

async function previewsOf(data: CheckedData, { model, show, ...limits }: Options) {
  if (model === null) return []
  const { rows } = await data.page(0, show)
  const open = await openModel(modelPath(model))
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

function print(
  { path, data, summary: { digest, total, usable, unusable, notes }, findings }: Shown,
  previews: readonly (Preview & { row: number })[],
  { stdout }: Io,
): void {
  const line = (text: string, indent = '') => stdout.write(`${indent}${plainText(text, 4000)}\n`)
  const form = data.format?.title ?? 'bundled'
  line(`${path}: ${total} rows, ${form}; ${usable} can be learnt from`)
  line(`sha256 ${digest}`, '  ')
  for (const [what, numbers] of notes)
    line(`left out: ${what} in ${numbers.length} rows (${numbersOf(numbers)})`, '  ')
  if (unusable.length > 0) {
    const { row, why } = unusable[0]!
    const numbers = numbersOf(unusable.map((each) => each.row))
    line(`unusable: ${unusable.length} rows (${numbers}); row ${row}: ${why}`, '  ')
  }
  for (const { name, title, advice, rows: touched, share } of findings) {
    line(`${name}: ${touched.length} rows, ${percent(share)} (${numbersOf(touched)})`)
    line(`${title}. ${advice}`, '  ')
  }
  if (findings.length === 0) line('No finding.')
  if (previews.length > 0) line('What is learnt stands between « and »:')
  for (const { row, segments, tokens, learntTokens, cutTokens } of previews) {
    const cut = cutTokens > 0 ? `, ${cutTokens} of them cut` : ''
    line(`row ${row}: ${tokens} tokens${cut}, ${learntTokens} learnt`)
    const text = segments.map(({ text: piece, isLearnt }) => (isLearnt ? `«${piece}»` : piece))
    for (const each of text.join('').split('\n')) line(each, '  | ')
  }
}

async function writeRows(
  output: string,
  { data, findings }: Shown,
  { drop }: Options,
  { stderr }: Io,
): Promise<void> {
  const { rows, dropped } = await writeKept(data, output, findings, drop)
  stderr.write(`${output}: ${rows} rows written, ${dropped} left out.\n`)
}
