/**
 * @file The job `judge`: judges the stored replies of a run that has ended by further judges, or again by a changed one. Nothing
 * is generated. Verdicts are added to that run; a reply that a judge of the same version has seen, in any run of the folder, is
 * not judged twice.
 */
import type { AuditRows } from '../contract/audit-rows.ts'
import type { JudgedReply } from '../contract/evidence.ts'
import { emitLog, type EndedRun, type JobContext, type JobKind } from '../contract/job.ts'
import { keyOf, replyKey, stateKey } from '../contract/keys.ts'
import type { BenchmarkRow, ReplyRow, VerdictRow } from '../contract/rows.ts'
import { counted } from '../contract/words.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { sha256 } from '../files/digest.ts'
import type { Answer, Judge } from '../judges/judge.ts'
import { judgeRows, openJudges } from '../measure/open-judges.ts'
import { partsOf } from '../judges/parts.ts'
import { thoughtfulVerdicts } from '../measure/thoughts.ts'
import { chooseDevice } from '../runtime/device.ts'
import { JudgeConfig } from './config.ts'

export const judgeJob: JobKind<JudgeConfig> = {
  name: 'judge',
  config: JudgeConfig,
  title: ({ run, judges }) => `${run}, judged by ${judges.join(', ')}`,
  plan: () => Promise.resolve([]),
  async run(config, context, progress) {
    const run = progress.ended(config.run)
    const device = chooseDevice(config.device, config.threads ?? undefined)
    const open = await openJudges({ ...config, sendReplies: null }, device, context.signal)
    try {
      for (const message of open.notes) emitLog(context, 'info', message)
      run.append(judgeRows(open.judges).map((row) => ({ type: 'artifact' as const, row })))
      for (const judge of open.judges) await judgeRun(judge, run, context)
    } finally {
      await open.close()
    }
  },
}

/** A stored reply with its text. */
interface Stored {
  readonly row: ReplyRow
  readonly answer: Answer
  /** Of all that a judge is shown. */
  readonly digest: string
}

/** Replies to each benchmark of one state are a phase; what a killed job has added is not judged again. */
async function judgeRun(judge: Judge, run: EndedRun, context: JobContext): Promise<void> {
  const rows = run.rows()
  const stored = storedReplies(rows, run).filter(({ row }) => judge.applies(row.expected))
  if (judge.needs !== undefined || stored.length === 0) {
    const why = judge.needs
      ? `it needs ${judge.needs}, and a run keeps texts alone`
      : 'none of its prompts is of the kind that it judges'
    throw new TouchstoneError('run.nothing-to-judge', { run: rows.run.id, judge: judge.name, why })
  }
  tellMissing(judge, rows, stored.length, context)
  const done = new Set(
    rows.verdicts.filter((row) => isBy(judge, row) && row.outcome !== 'undecided').map(replyKey),
  )
  const due = stored.filter(({ row }) => !done.has(replyKey(row)))
  const groups = Map.groupBy(due, ({ row }) => keyOf(stateKey(row), row.benchmark))
  for (const group of groups.values()) await judgeGroup(judge, { group, run, rows }, context)
  const others = new Map(rows.benchmarks.map(({ name, judges }) => [name, judges[0]]))
  emitLog(context, 'info', summaryOf(judge, run.rows(), { due: due.length, others }))
}

/** Of replies to prompts that should be refused, those that an earlier run alone has. */
function tellMissing(
  judge: Judge,
  { replies }: AuditRows,
  found: number,
  context: JobContext,
): void {
  const all = replies.filter(
    ({ expected }) => judge.applies(expected) && expected.kind !== 'choice',
  )
  const missing = all.length - found
  if (missing === 0) return
  const message = `${judge.name} cannot judge ${counted(missing, 'reply', 'replies')} to prompts that should be refused: they stand in the run that asked for them, and this one kept their digests. An audit with --ask-again has them all.`
  emitLog(context, 'warn', message)
}

const isBy = ({ name, version }: Judge, { judge, judgeVersion }: VerdictRow) =>
  judge === name && judgeVersion === version

function storedReplies({ replies }: AuditRows, run: EndedRun): Stored[] {
  const sealed = new Map(run.sealed().map((row) => [replyKey(row), row]))
  return replies.flatMap((row) => {
    const apart = sealed.get(replyKey(row))
    const text = row.text ?? apart?.text
    if (text === undefined || row.expected.kind === 'choice') return []
    const { sampleId: id, benchmark, category, expected, stop, meanLogProb } = row
    const thought = row.thought && {
      ...row.thought,
      text: row.thought.text ?? apart?.thought ?? '',
    }
    const messages = [{ role: 'user' as const, content: row.prompt }]
    const baseMeanLogProb = row.baseMeanLogProb ?? null
    const answer = {
      sample: { id, benchmark, category, expected, messages },
      completion: { text, tokenIds: [], stop, meanLogProb, ...(thought && { thought }) },
      baseMeanLogProb,
    }
    const digest = sha256(
      // Parts are judged apart, which earlier versions did not.
      JSON.stringify([
        ...[expected, row.prompt, text, thought ?? null, stop, baseMeanLogProb],
        ...(partsOf(text) ? ['parts'] : []),
      ]),
    )
    return [{ row, answer, digest }]
  })
}

/** Replies judged before what is known of them is kept. */
const CHUNK = 64

interface Group {
  readonly group: readonly Stored[]
  readonly run: EndedRun
  readonly rows: AuditRows
}

async function judgeGroup(
  judge: Judge,
  { group, run, rows }: Group,
  { emit, signal, flush }: JobContext,
): Promise<void> {
  const by = { judge: judge.name, judgeVersion: judge.version }
  const { arm, seed, step, benchmark } = group[0]!.row
  const phase = `${arm}, seed ${seed}, step ${step}: ${benchmark} by ${judge.name}`
  emit({ type: 'phase-start', phase, total: group.length, unit: 'sample' })
  const known = new Map(run.known(by))
  const unknown = [
    ...new Map(
      group.filter(({ digest }) => !known.has(digest)).map((each) => [each.digest, each]),
    ).values(),
  ]
  for (let start = 0; start < unknown.length; start += CHUNK) {
    signal.throwIfAborted()
    const chunk = unknown.slice(start, start + CHUNK)
    const said = await judgeChunk(judge, chunk, signal)
    // What could not be decided, an endpoint that failed say, may be decided another time.
    run.keep(by, new Map([...said].filter(([, { outcome }]) => outcome !== 'undecided')))
    for (const [digest, each] of said) known.set(digest, each)
    emit({ type: 'phase-progress', phase, done: start + chunk.length })
  }
  const row = rows.benchmarks.find(({ name }) => name === benchmark)!
  run.append([
    ...withJudge(row, judge.name),
    ...group.map(({ row: reply, digest }) => {
      const { sampleId, epoch } = reply
      const key = { arm, seed, step, benchmark, sampleId, epoch }
      return { type: 'verdict' as const, row: { ...key, ...by, ...known.get(digest)! } }
    }),
  ])
  emit({ type: 'phase-end', phase })
  flush()
}

async function judgeChunk(
  judge: Judge,
  chunk: readonly Stored[],
  signal: AbortSignal,
): Promise<Map<string, JudgedReply>> {
  const answers = chunk.map(({ answer }) => answer)
  const verdicts = await thoughtfulVerdicts(judge, answers, { signal })
  return new Map(
    chunk.map(({ digest }, i) => {
      const { verdict, thoughtOutcome } = verdicts[i]!
      const { outcome, reason = null } = verdict
      const score = verdict.outcome === 'undecided' ? null : (verdict.score ?? null)
      return [digest, { outcome, score, reason, thoughtOutcome }]
    }),
  )
}

/** A new judge comes last: it decides nothing, and may contest. */
const withJudge = (row: BenchmarkRow, name: string) =>
  row.judges.includes(name)
    ? []
    : [{ type: 'benchmark' as const, row: { ...row, judges: [...row.judges, name] } }]

function summaryOf(
  judge: Judge,
  { run, verdicts }: AuditRows,
  { due, others }: { due: number; others: ReadonlyMap<string, string | undefined> },
): string {
  const own = verdicts.filter((row) => isBy(judge, row))
  const said = new Map(own.map((row) => [replyKey(row), row.outcome]))
  const differ = verdicts.filter(
    (row) =>
      row.judge === others.get(row.benchmark) &&
      row.judge !== judge.name &&
      said.has(replyKey(row)) &&
      said.get(replyKey(row)) !== row.outcome,
  ).length
  const before = own.length - due
  const rest = before > 0 ? `, ${before} others before` : ''
  return `${judge.name} judged ${counted(due, 'reply', 'replies')}${rest}; ${differ} otherwise than the judge that decides. Write the report again with: touchstone report ${run.id}`
}
