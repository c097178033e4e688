/** @file `touchstone label`: replies out for people to label, their labels in, and what those say of the judges. */
import { z } from 'zod'
import { differingReplies } from '../../../findings/contesting.ts'
import { peopleOf } from '../../../findings/judge-quality.ts'
import { groupJudged } from '../../../findings/judged.ts'
import { drawItems, type LabelTask } from '../../../findings/label-draw.ts'
import { LABEL_COLUMNS, readLabels } from '../../../findings/labelling.ts'
import type { AuditRows } from '../../../contract/audit-rows.ts'
import { replyKey } from '../../../contract/keys.ts'
import type { JudgeQuality, PairedLabels, People, Rate } from '../../../contract/results.ts'
import { counted, percent, pValueText, signedPoints } from '../../../contract/words.ts'
import { TouchstoneError, usageError } from '../../../errors/touchstone-error.ts'
import { csvLine } from '../../../tables/csv.ts'
import { plainText } from '../../../document/plain-text.ts'
import { appendToRun } from '../../../runs/append-to-run.ts'
import { command, type Tell } from '../../command.ts'
import { optionalText, reason, runFolder } from '../../../runs/options/common.ts'
import { withNamedRun, type NamedRun } from '../../../runs/named-run.ts'
import { writePrivately } from '../../../files/private-file.ts'

const LabelOptions = z.object({
  outDir: runFolder,
  file: optionalText.meta({
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
  count: z.int().min(1).max(100_000).default(200).meta({
    help: 'export: about how many replies are drawn, always those of both states to a prompt',
  }),
  seed: z.int().min(0).default(0).meta({ help: 'export: which are drawn' }),
  benchmark: optionalText.meta({
    help: 'export: replies to this benchmark only',
    value: 'NAME',
  }),
  disagreements: z.boolean().default(false).meta({
    help: 'export, show: only replies that judges call differently, most telling first, in place of a random draw',
  }),
  unblind: reason.nullable().default(null).meta({
    help: 'export: also the replies to prompts that should be refused, to a second file; logged',
    value: 'REASON',
    once: true,
  }),
})
type LabelOptions = z.infer<typeof LabelOptions>

const ACTIONS = { export: exportTasks, import: importLabels, show: showQuality } as const

export const label = command({
  schema: LabelOptions,
  positionals: '[export|import|show] [RUN]',
  examples: [
    'touchstone label export --out-dir out/audit -f labels.csv --count 100',
    'touchstone label audit-20260131-120000-1a2b --disagreements -f differ.csv',
    'touchstone label import --out-dir out/audit -f labels.csv --rater first',
    'touchstone label show --out-dir out/audit',
  ],
  remark:
    'Files name neither variant nor judge. Replies to prompts that should be refused are left out without --unblind.',
  async run({ options, named, tell }) {
    // `label RUN --disagreements` exports.
    const isShort = options.disagreements && !Object.hasOwn(ACTIONS, named[0] ?? '')
    const [action = '', runId] = isShort ? ['export', ...named] : named
    if (!Object.hasOwn(ACTIONS, action)) {
      throw usageError(
        action === '' ? 'Nothing was asked for.' : `"${action}" is nothing to do here.`,
        'Write touchstone label export, import or show.',
      )
    }
    const perform = ACTIONS[action as keyof typeof ACTIONS]
    await withNamedRun(runId, options.outDir, (named) => perform(named, options, tell))
  },
})

function required(value: string | null, flag: string): string {
  if (value !== null) return value
  throw usageError(`--${flag} is missing.`, `Add --${flag}; see touchstone label --help.`)
}

const csvOf = (tasks: readonly LabelTask[]): string =>
  [
    csvLine(LABEL_COLUMNS),
    ...tasks.map(({ item, prompt, reply }) => csvLine([item, prompt, reply, ''])),
  ].join('')

/** `labels.csv` → `labels.sealed.csv`. */
const sealedPath = (path: string) =>
  path.endsWith('.csv') ? `${path.slice(0, -4)}.sealed.csv` : `${path}.sealed.csv`

const NONE_DIFFER =
  'Nothing was written: the judges differ on no reply that may be read here; replies to prompts that should be refused need --unblind.\n'

async function exportTasks(
  { store, run, folder }: NamedRun,
  { file, count, seed, benchmark, unblind, disagreements }: LabelOptions,
  tell: Tell,
): Promise<void> {
  const path = required(file, 'file')
  const sealed = unblind === null ? [] : store.sealed(run.id)
  const known = store.evidence.labelItems(run.id)
  const rows = store.rows(run.id)
  const chosen = disagreements ? differingReplies(rows) : undefined
  const drawn = drawItems(rows, sealed, known, { count, seed, benchmark, chosen })
  if (chosen && drawn.items.length === 0) {
    tell({ type: 'label-export', runId: run.id, files: [] }, NONE_DIFFER)
    return
  }
  if (drawn.items.length === 0) throw new TouchstoneError('interchange.nothing', { run: run.id })
  store.evidence.keepLabelItems(run.id, drawn.items)
  const files = [
    { file: path, tasks: drawn.open, beforeVisible: () => undefined },
    {
      file: sealedPath(path),
      tasks: drawn.sealed,
      beforeVisible: () =>
        appendToRun(
          { store, folder, runId: run.id },
          { type: 'unblinded', reason: plainText(unblind!, 500) },
        ),
    },
  ].filter(({ tasks }) => tasks.length > 0)
  for (const { file: name, tasks, beforeVisible } of files.toReversed())
    await writePrivately(name, csvOf(tasks), beforeVisible)
  const written = files.map(({ file: name, tasks }) => ({ file: name, replies: tasks.length }))
  const words = written.map((each) => `Wrote ${each.replies} replies to ${plainText(each.file)}.\n`)
  tell({ type: 'label-export', runId: run.id, files: written }, words.join(''))
}

async function importLabels(
  { store, run }: NamedRun,
  options: LabelOptions,
  tell: Tell,
): Promise<void> {
  const rater = required(options.rater, 'rater')
  const items = store.evidence.labelItems(run.id)
  const path = required(options.file, 'file')
  const { benchmarks, replies: open } = store.rows(run.id)
  const replies = [...open, ...store.sealed(run.id)]
  const texts = new Map(
    replies.flatMap((row) => (row.text === null ? [] : [[replyKey(row), row.text] as const])),
  )
  const labels = await readLabels(path, items, { rater, now: Date.now(), texts, benchmarks })
  store.evidence.keepLabels(run.id, labels)
  const line = { type: 'label-import', runId: run.id, rater, labels: labels.length }
  tell(line, `Stored ${labels.length} labels of ${plainText(rater)}.\n`)
}

function showQuality(
  { store, run }: NamedRun,
  { disagreements, count }: LabelOptions,
  tell: Tell,
): void {
  const rows = store.rows(run.id)
  if (disagreements) return showDiffering(rows, count, tell)
  const summary = peopleOf(rows, groupJudged(rows))
  if (!summary) throw new TouchstoneError('labels.nothing', { run: run.id })
  tell({ runId: run.id, ...summary }, wordsOf(summary))
}

/** Names of replies alone. */
function showDiffering(rows: AuditRows, count: number, tell: Tell): void {
  const replies = differingReplies(rows)
  const said = Map.groupBy(rows.verdicts, replyKey)
  const lines = replies.slice(0, count).map((key) => {
    const { arm, seed, step, benchmark, sampleId, epoch } = key
    const verdicts = (said.get(replyKey(key)) ?? []).map(
      ({ judge, outcome }) => `${judge} ${outcome}`,
    )
    return `  ${arm}, seed ${seed}, step ${step}, ${benchmark} ${sampleId}${epoch > 0 ? `, reply ${epoch + 1}` : ''}: ${verdicts.join(', ')}`
  })
  const head = `Judges differ on ${counted(replies.length, 'reply', 'replies')}, most telling first`
  tell(
    { runId: rows.run.id, replies },
    [head, ...lines].map((line) => `${plainText(line, 2000)}\n`).join(''),
  )
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

function correctedLine(
  row: People['rates'][number] | People['changes'][number],
  reported: string,
  corrected: string | null,
): string {
  const { arm, seed, step, refused } = row
  const where = `  ${arm}, seed ${seed}, step ${step}, ${nameOf(row)}: ${reported}`
  return corrected === null ? `${where}, not corrected: ${refused}` : `${where} → ${corrected}`
}

function pairedLines(row: PairedLabels): string[] {
  const { arm, seed, step, benchmark, judge, labelled, prompts, corrected, alike } = row
  const [from, to] = [signedPoints(-corrected.upper), signedPoints(-corrected.lower)]
  const powered = row.predictionPowered
  const errors = (['sensitivity', 'specificity'] as const).map(
    (side) =>
      `${side} ${share(row.before[side])} before, ${share(row.after[side])} after (${pValueText(alike[side])})`,
  )
  return [
    `  ${arm}, seed ${seed}, step ${step}, ${benchmark} (${judge}), ${labelled} of ${prompts} prompts: ${signedPoints(-corrected.estimate)} (${from} to ${to})${powered ? `; PPI++ ${signedPoints(-powered.estimate)}` : ''}`,
    ...errors.map((line) => `    ${line}`),
  ]
}

function changeLines(changes: People['changes']): string[] {
  if (changes.length === 0) return []
  return [
    'Changes from the base, in points, corrected likewise',
    ...changes.map((row) => {
      const { corrected: found, reported } = row
      const [from, to] = found ? [signedPoints(-found.upper), signedPoints(-found.lower)] : []
      const after = found && `${signedPoints(-found.estimate)} (${from} to ${to})`
      return correctedLine(row, signedPoints(-reported.estimate), after)
    }),
  ]
}

function wordsOf({
  labelled,
  raters,
  alpha,
  tied,
  kappas,
  judges,
  rates,
  changes,
  paired = [],
}: People): string {
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
      const { corrected: found, reported } = row
      const before = reported.estimate === null ? 'undecided' : percent(reported.estimate)
      const after =
        found && `${percent(found.estimate)} (${percent(found.lower)} to ${percent(found.upper)})`
      return correctedLine(row, before, after)
    }),
    ...(paired.length > 0 ? ['Judges before and after, and changes by the labels of both'] : []),
    ...paired.flatMap(pairedLines),
    ...changeLines(changes),
  ]
  return lines.map((line) => `${plainText(line, 2000)}\n`).join('')
}
