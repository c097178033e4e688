/** @file `touchstone label`: replies out for people to label, their labels in, and what those say of the judges. */
import { parseNamed } from '../../../runs/options/flags.ts'
import { z } from 'zod'
import { peopleOf } from '../../../findings/judge-quality.ts'
import { groupJudged } from '../../../findings/judged.ts'
import {
  drawItems,
  LABEL_COLUMNS,
  readLabels,
  type LabelTask,
} from '../../../findings/labelling.ts'
import { UNBLINDED } from '../../../contract/audit-rows.ts'
import type { JudgeQuality, People, Rate } from '../../../contract/results.ts'
import { percent, signedPoints } from '../../../contract/words.ts'
import { TouchstoneError } from '../../../errors/touchstone-error.ts'
import { csvLine } from '../../../tables/csv-text.ts'
import { plainText } from '../../../document/plain-text.ts'
import { lockFolder } from '../../../runs/store/lock.ts'
import type { Command, Io } from '../../command.ts'
import { fieldsOf } from '../../../runs/options/fields.ts'
import { withNamedRun, type NamedRun } from '../../../runs/named-run.ts'
import { writePrivately } from '../../../files/private-file.ts'

const LabelOptions = z.object({
  outDir: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .meta({ help: 'The folder of the run; its newest run if none is named' }),
  file: z.string().min(1).nullable().default(null).meta({
    help: 'export: the CSV file to write; import: the one to read',
    flag: 'file',
    short: 'f',
    value: 'FILE',
    once: true,
  }),
  rater: z.string().trim().min(1).max(60).nullable().default(null).meta({
    help: 'import: who labelled; a name of your choice',
    value: 'NAME',
    once: true,
  }),
  count: z
    .int()
    .min(1)
    .max(100_000)
    .default(200)
    .meta({ help: 'export: how many replies are drawn' }),
  seed: z.int().min(0).default(0).meta({ help: 'export: which are drawn' }),
  benchmark: z.string().min(1).nullable().default(null).meta({
    help: 'export: replies to this benchmark only',
    value: 'NAME',
  }),
  unblind: z.string().trim().min(8).max(500).nullable().default(null).meta({
    help: 'export: also the replies to prompts that should be refused, to a second file; logged',
    value: 'REASON',
    once: true,
  }),
  json: z.boolean().default(false).meta({ help: 'One line of JSON on standard output' }),
})
type LabelOptions = z.infer<typeof LabelOptions>

const fields = fieldsOf(LabelOptions)

const ACTIONS = { export: exportTasks, import: importLabels, show: showQuality } as const

export const label: Command = {
  name: 'label',
  summary: 'Writes replies for people to label, reads their labels, and holds the judges to them.',
  positionals: 'export|import|show [RUN]',
  examples: [
    'touchstone label export --out-dir out/audit -f labels.csv --count 100',
    'touchstone label import --out-dir out/audit -f labels.csv --rater first',
    'touchstone label show --out-dir out/audit',
  ],
  remark:
    'Files name neither arm nor judge. Replies to prompts that should be refused are left out without --unblind.',
  options: [{ title: 'Options', fields }],
  async run(argv, io) {
    const { options, named: names } = parseNamed(LabelOptions, fields, argv, {
      ...io,
      most: 2,
    })
    const [action = '', runId] = names
    if (!Object.hasOwn(ACTIONS, action)) {
      throw new TouchstoneError('usage.invalid', {
        problem: action === '' ? 'Nothing was asked for.' : `"${action}" is nothing to do here.`,
        remedy: 'Write touchstone label export, import or show.',
      })
    }
    const perform = ACTIONS[action as keyof typeof ACTIONS]
    await withNamedRun(runId, options.outDir, (named) => perform(named, options, io))
    return 0
  },
}

function required(value: string | null, flag: string): string {
  if (value !== null) return value
  throw new TouchstoneError('usage.invalid', {
    problem: `--${flag} is missing.`,
    remedy: `Add --${flag}; see touchstone label --help.`,
  })
}

/** What a spreadsheet would take for a formula begins with an apostrophe. */
const cell = (text: string) => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text)

const csvOf = (tasks: readonly LabelTask[]): string =>
  [
    csvLine(LABEL_COLUMNS),
    ...tasks.map(({ item, prompt, reply }) => csvLine([item, cell(prompt), cell(reply), ''])),
  ].join('')

/** `labels.csv` → `labels.sealed.csv`. */
const sealedPath = (path: string) =>
  path.endsWith('.csv') ? `${path.slice(0, -4)}.sealed.csv` : `${path}.sealed.csv`

async function exportTasks(
  { store, run, folder }: NamedRun,
  { file, count, seed, benchmark, unblind, json }: LabelOptions,
  io: Io,
): Promise<void> {
  const path = required(file, 'file')
  const unlock = lockFolder(folder)
  try {
    const sealed = unblind === null ? [] : store.sealed(run.id)
    const known = store.evidence.labelItems(run.id)
    const draw = { count, seed, benchmark }
    const drawn = drawItems(store.rows(run.id), sealed, known, draw)
    if (drawn.items.length === 0) throw new TouchstoneError('interchange.nothing', { run: run.id })
    store.evidence.keepLabelItems(run.id, drawn.items)
    if (drawn.sealed.length > 0) {
      await writePrivately(sealedPath(path), csvOf(drawn.sealed), () => {
        const message = `${UNBLINDED}${plainText(unblind!, 500)}`
        const seq = store.lastSeq(run.id) + 1
        const event = { runId: run.id, seq, at: Date.now(), type: 'log', level: 'warn' } as const
        store.sink.event({ ...event, message })
        store.sink.flush()
      })
    }
    if (drawn.open.length > 0) await writePrivately(path, csvOf(drawn.open))
    const files = [
      ...(drawn.open.length > 0 ? [{ file: path, replies: drawn.open.length }] : []),
      ...(drawn.sealed.length > 0
        ? [{ file: sealedPath(path), replies: drawn.sealed.length }]
        : []),
    ]
    const words = files.map((each) => `Wrote ${each.replies} replies to ${plainText(each.file)}.\n`)
    io.stdout.write(
      json ? `${JSON.stringify({ type: 'label-export', runId: run.id, files })}\n` : words.join(''),
    )
  } finally {
    unlock()
  }
}

async function importLabels(
  { store, run }: NamedRun,
  options: LabelOptions,
  io: Io,
): Promise<void> {
  const rater = required(options.rater, 'rater')
  const items = store.evidence.labelItems(run.id)
  const path = required(options.file, 'file')
  const labels = await readLabels(path, items, { rater, now: Date.now() })
  store.evidence.keepLabels(run.id, labels)
  const line = { type: 'label-import', runId: run.id, rater, labels: labels.length }
  const words = `Stored ${labels.length} labels of ${plainText(rater)}.\n`
  io.stdout.write(options.json ? `${JSON.stringify(line)}\n` : words)
}

function showQuality({ store, run }: NamedRun, { json }: LabelOptions, io: Io): void {
  const rows = store.rows(run.id)
  const summary = peopleOf(rows, groupJudged(rows))
  if (!summary) throw new TouchstoneError('labels.nothing', { run: run.id })
  io.stdout.write(json ? `${JSON.stringify({ runId: run.id, ...summary })}\n` : text(summary))
}

const share = ({ estimate, lower, upper, n }: Rate) =>
  estimate === null
    ? 'not labelled'
    : `${percent(estimate)} (${percent(lower!)} to ${percent(upper!)}, n = ${n})`

const nameOf = ({
  benchmark,
  judge,
  measure,
}: Pick<JudgeQuality, 'benchmark' | 'judge' | 'measure'>) =>
  `${benchmark} (${judge}${measure === 'attack' ? ', attacks' : ''})`

function text({ labelled, raters, alpha, tied, kappas, judges, rates, changes }: People): string {
  const agreement = alpha === null ? 'not known' : alpha.toFixed(3)
  const lines = [
    `${labelled} replies labelled by ${raters.join(', ')}; Krippendorff’s α ${agreement}; ${tied} tied`,
    ...kappas.map(
      ({ raters: [a, b], n, kappa }) =>
        `  ${a} and ${b}: Cohen’s κ ${kappa === null ? 'not known' : kappa.toFixed(3)} on ${n} replies`,
    ),
    'Judges against people',
    ...judges.map(
      (row) =>
        `  ${nameOf(row)}: sensitivity ${share(row.sensitivity)}, specificity ${share(row.specificity)}`,
    ),
    'Rates corrected for the judge’s errors',
    ...rates.map((row) => {
      const { arm, seed, step, reported, corrected, refused } = row
      const found = reported.estimate === null ? 'undecided' : percent(reported.estimate)
      const where = `  ${arm}, seed ${seed}, step ${step}, ${nameOf(row)}: ${found}`
      return corrected === null
        ? `${where}, not corrected: ${refused}`
        : `${where} → ${percent(corrected.estimate)} (${percent(corrected.lower)} to ${percent(corrected.upper)})`
    }),
    ...(changes.length > 0 ? ['Changes from the base, in points, corrected likewise'] : []),
    ...changes.map((row) => {
      const { arm, seed, step, reported, corrected, refused } = row
      const where = `  ${arm}, seed ${seed}, step ${step}, ${nameOf(row)}: ${signedPoints(-reported.estimate)}`
      return corrected === null
        ? `${where}, not corrected: ${refused}`
        : `${where} → ${signedPoints(-corrected.estimate)} (${signedPoints(-corrected.upper)} to ${signedPoints(-corrected.lower)})`
    }),
  ]
  return lines.map((line) => `${plainText(line, 2000)}\n`).join('')
}
