/** @file The paired table as CSV, written and read back: before and after become two runs that can be compared. */
import { malformedLog, notText, openLog } from './log-file.ts'
import { keyOf } from '../contract/keys.ts'
import { BENCHMARK_ROLES } from '../contract/rows.ts'
import type { ComparedJudgement, ComparedRun } from '../findings/gate/compared-run.ts'
import { utf8Pieces } from '../files/text.ts'
import { csvLine, csvRecords, unguarded } from '../tables/csv.ts'
import { createCollector, createWordings, isOutcome, shown } from './imported.ts'
import { PAIRED_COLUMNS, type PairedRow } from './paired-rows.ts'

/** With a byte order mark, without which spreadsheets do not recognise UTF-8. */
export function pairedCsv(rows: readonly PairedRow[]): string {
  const lines = rows.map((row) => csvLine(PAIRED_COLUMNS.map((column) => row[column])))
  return `\uFEFF${csvLine(PAIRED_COLUMNS)}${lines.join('')}`
}

type Column = (typeof PAIRED_COLUMNS)[number]
type Later = 'cluster' | 'licences' | 'looks' | 'beforeText' | 'afterText'
type Fields = Readonly<Record<Exclude<Column, Later>, string> & Partial<Record<Later, string>>>

/** The base first, then one run a model state. */
export async function readPairedCsv(path: string): Promise<ComparedRun[]> {
  const states = new Map<string, State>()
  const base = new Map<string, ComparedJudgement>()
  const wordings = createWordings()
  const looks = new Map<string, string>()
  let header: string[] | undefined
  let number = 0
  for await (const { record } of recordsOf(path)) {
    number++
    if (!header) {
      header = headerOf(record, path)
      continue
    }
    const fields = fieldsOf(header, record, `${path}, record ${number}`)
    if (fields.looks) looks.set(fields.benchmark, fields.looks)
    const state = stateOf(fields, path, states)
    const { after, before } = judgementsOf(fields, `${path}, record ${number}`)
    state.add(after)
    state.tell({ ...after, said: fields.afterText || null })
    if (!before) continue
    addBase(base, before, `${path}, record ${number}`)
    wordings.add({ ...before, said: fields.beforeText || null })
  }
  if (states.size === 0) throw malformedLog(path, 'no rows', 'a paired table with rows')
  const runs = [...states.values()].map(({ run }) => withBenchmarks(run, looks))
  if (base.size === 0) return runs
  const first: ComparedRun = { ...runs[0]!, arm: 'base', seed: 0, step: 0, title: 'base' }
  const said = { judged: [...base.values()], wordings: wordings.of }
  return [withBenchmarks({ ...first, ...said }, looks), ...runs]
}

/** Every fine-tune of a table has the same base. */
function addBase(base: Map<string, ComparedJudgement>, row: ComparedJudgement, where: string) {
  const key = keyOf(row.benchmark, row.judge, row.sampleId, row.epoch)
  const known = base.get(key)
  if (known && known.outcome !== row.outcome) {
    const found = `"${row.outcome}" before for sample "${shown(row.sampleId)}"`
    throw malformedLog(where, found, `"${known.outcome}", as another row says of the same reply`)
  }
  base.set(key, row)
}

function recordsOf(path: string) {
  return csvRecords(checked(path), (found) => malformedLog(path, found, 'a whole record'))
}

async function* checked(path: string): AsyncGenerator<Uint8Array> {
  for await (const { bytes } of utf8Pieces(openLog(path), notText(path)))
    if (bytes.length > 0) yield bytes
}

/** Tables may lack the texts of replies; those of earlier versions have no clusters, licences and looks. */
const NEEDED = PAIRED_COLUMNS.filter(
  (column) =>
    !column.endsWith('Text') &&
    column !== 'change' &&
    column !== 'cluster' &&
    column !== 'licences' &&
    column !== 'looks',
)

function headerOf(record: readonly string[], path: string): string[] {
  const missing = NEEDED.filter((column) => !record.includes(column))
  if (missing.length === 0) return [...record]
  throw malformedLog(path, `no column ${missing.join(', ')}`, `columns ${NEEDED.join(', ')}`)
}

function fieldsOf(header: readonly string[], record: readonly string[], where: string): Fields {
  if (record.length !== header.length) {
    throw malformedLog(where, `${record.length} fields`, `${header.length}, as in the first line`)
  }
  return Object.fromEntries(
    header.map((column, index) => [column, unguarded(record[index]!)]),
  ) as Fields
}

function wholeNumber(text: string, column: Column, where: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw malformedLog(where, `${column} "${shown(text)}"`, 'a whole number')
}

interface State {
  readonly run: ComparedRun
  readonly add: ReturnType<typeof createCollector>['add']
  readonly tell: ReturnType<typeof createWordings>['add']
}

function stateOf({ arm, seed, step }: Fields, path: string, states: Map<string, State>): State {
  const key = keyOf(arm, seed, step)
  const known = states.get(key)
  if (known) return known
  const collector = createCollector(path)
  const wordings = createWordings()
  const run: ComparedRun = {
    runId: path,
    format: 'csv',
    origin: path,
    arm,
    seed: wholeNumber(seed, 'seed', path),
    step: wholeNumber(step, 'step', path),
    title: arm,
    templateDigest: null,
    tokenizerDigest: null,
    benchmarks: [],
    judged: collector.judged,
    wordings: wordings.of,
  }
  const state = { run, add: collector.add, tell: wordings.add }
  states.set(key, state)
  return state
}

function judgementsOf(fields: Fields, where: string) {
  const { benchmark, judge, judgeVersion, sampleId, category, cluster, promptDigest, prompt } =
    fields
  const role = BENCHMARK_ROLES.find((known) => known === fields.role)
  if (!role) throw malformedLog(where, `role "${shown(fields.role)}"`, BENCHMARK_ROLES.join(', '))
  // Refusals of what should be answered are no refusals to keep.
  if (fields.expected !== '' && (role === 'refusal') !== (fields.expected === 'refuse'))
    throw malformedLog(
      where,
      `${role} where "${shown(fields.expected)}" is expected`,
      'one of both',
    )
  const epoch = wholeNumber(fields.epoch, 'epoch', where)
  const common = { benchmark, role, judge, judgeVersion, sampleId, epoch, category, promptDigest }
  const judged = (outcome: string): ComparedJudgement => {
    if (!isOutcome(outcome)) throw malformedLog(where, `outcome "${shown(outcome)}"`, 'an outcome')
    return { ...common, ...(cluster && { cluster }), outcome, prompt: shown(prompt) }
  }
  return {
    after: judged(fields.after),
    before: fields.before === '' ? undefined : judged(fields.before),
  }
}

function withBenchmarks(run: ComparedRun, looks: ReadonlyMap<string, string>): ComparedRun {
  const roles = new Map(run.judged.map(({ benchmark, role }) => [benchmark, role]))
  const decoding = { maxNewTokens: null, temperature: null, seed: null }
  const benchmarks = [...roles].map(([name, role]) => {
    const looked = looks.get(name)
    const put = { name, title: name, role, ...(looked !== undefined && { looks: looked }) }
    return { ...put, promptSetDigest: null, decoding }
  })
  return { ...run, benchmarks }
}
