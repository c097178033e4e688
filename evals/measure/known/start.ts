/**
 * @file Step 0 of a fine-tune that begins as its base: the base's rows are copied in place of asking the same model again. A few
 * prompts of each benchmark are asked all the same; where one is answered otherwise nothing is copied.
 */
import type { AuditRows, FinishedEvaluation } from '../../contract/audit-rows.ts'
import { emitLog, type JobContext } from '../../contract/job.ts'
import { isBase, keyOf } from '../../contract/keys.ts'
import type { ReplyRow, SealedReply, SubjectKey } from '../../contract/rows.ts'
import type { Origin } from '../../contract/subjects/origin.ts'
import { sha256 } from '../../files/digest.ts'
import { answersOf, type Answering, type Reply } from '../answers.ts'
import { hasOptions, hasValues, spread, type PreparedBenchmark } from '../benchmark-sources.ts'

/** What is stored of the base. */
export interface BaseRows {
  rows(): Pick<AuditRows, 'replies' | 'verdicts' | 'metrics' | 'evaluations'>
  sealed(): readonly SealedReply[]
}

export interface KnownStart extends BaseRows {
  readonly origin: Origin
}

/** Over all benchmarks, at least one of each. */
const CHECKED = 8
/** Of a mean log-probability, in its own size: adapters that begin as a part of the weights round otherwise. */
const ROUNDING = 1e-4

/** Replies that are drawn have random numbers of their own in each state. */
export const isCopied = ({ decoding }: Pick<PreparedBenchmark, 'decoding'>): boolean =>
  decoding.temperature === 0

/** Undefined where nothing can be checked, as of a base that was not asked, or where an answer is not the base's. */
export async function checkedStart(
  subject: Answering,
  benchmarks: readonly PreparedBenchmark[],
  base: BaseRows,
  context: JobContext,
): Promise<KnownStart | undefined> {
  const copied = benchmarks.filter(isCopied)
  const stored = storedReplies(base)
  if (copied.length === 0 || stored.size === 0) return undefined
  const each = Math.ceil(CHECKED / copied.length)
  const chosen = copied.map((prepared) => ({
    ...prepared,
    samples: spread(firstOf(prepared), each),
  }))
  let checked = 0
  for (const prepared of askedTogether(chosen)) {
    const asking = { signal: context.signal, onProgress: ignore, warn: ignore }
    const replies = await answersOf(subject, prepared, asking)
    const other = replies.find((reply) => !isAlike(reply, stored))
    if (other) {
      const { benchmark, id } = other.sample
      const { title } = (copied.find(named(benchmark)) ?? prepared).benchmark
      const message = `${title}: at step 0 the answer to ${id} is not the base’s, so all prompts are asked again.`
      emitLog(context, 'warn', message)
      return undefined
    }
    checked += replies.length
  }
  return { ...base, origin: { from: 'base', checked } }
}

const ignore = () => undefined
const named =
  (name: string) =>
  ({ benchmark }: PreparedBenchmark): boolean =>
    benchmark.name === name

/** Replies of the same length, of whatever benchmark, in one batch: it then takes as many steps as one benchmark's. */
function askedTogether(chosen: readonly PreparedBenchmark[]): readonly PreparedBenchmark[] {
  const isWritten = ({ samples, read }: PreparedBenchmark) =>
    !read && !hasValues(samples) && !hasOptions(samples)
  const key = (prepared: PreparedBenchmark, at: number) =>
    isWritten(prepared) ? JSON.stringify([prepared.benchmark.maxNewTokens, prepared.decoding]) : at
  return [...Map.groupBy(chosen.entries(), ([at, prepared]) => key(prepared, at)).values()].map(
    (group) => ({
      ...group[0]![1],
      samples: group.flatMap(([, { samples }]) => samples),
    }),
  )
}

/** Of benchmarks with looks only what is asked before the first one is sure to be asked of the base. */
function firstOf({ samples, looks }: PreparedBenchmark): PreparedBenchmark['samples'] {
  if (!looks) return samples
  const first = new Set(looks.order.slice(0, looks.seen[0]?.prompts))
  return samples.filter(({ id }) => first.has(id))
}

const promptKey = ({
  benchmark,
  sampleId,
  epoch,
}: Pick<ReplyRow, 'benchmark' | 'sampleId' | 'epoch'>) => keyOf(benchmark, sampleId, epoch)

/** With the digest of what each says. */
function storedReplies(base: BaseRows): ReadonlyMap<string, ReplyRow> {
  const texts = new Map(
    base
      .sealed()
      .filter(isBase)
      .map((row) => [promptKey(row), row.text]),
  )
  const rows = base.rows().replies.filter(isBase)
  return new Map(
    rows.map((row) => {
      const text = row.text ?? texts.get(promptKey(row))
      return [promptKey(row), text === undefined ? row : { ...row, digest: sha256(text) }]
    }),
  )
}

function isAlike(
  { sample, epoch, completion, promptDigest }: Reply,
  stored: ReadonlyMap<string, ReplyRow>,
): boolean {
  const row = stored.get(keyOf(sample.benchmark, sample.id, epoch))
  const isSame =
    row?.digest === sha256(completion.text) &&
    row.promptDigest === promptDigest &&
    row.stop === completion.stop
  const [ours, theirs] = [completion.meanLogProb ?? 0, row?.meanLogProb ?? 0]
  return isSame && Math.abs(ours - theirs) <= ROUNDING * Math.max(1, Math.abs(theirs))
}

/** The base's replies to these prompts, with their verdicts, as those of another state. */
export function copyReplies(
  key: SubjectKey,
  { benchmark, samples, looks }: PreparedBenchmark,
  known: BaseRows,
  { emit, seal }: JobContext,
): void {
  const asked = new Set(samples.map(({ id }) => id))
  const isAsked = (row: SubjectKey & { benchmark: string; sampleId: string }) =>
    isBase(row) && row.benchmark === benchmark.name && asked.has(row.sampleId)
  const rows = known.rows()
  for (const row of known.sealed()) if (isAsked(row)) seal({ ...row, ...key })
  for (const row of rows.replies) if (isAsked(row)) emit({ type: 'reply', row: { ...row, ...key } })
  for (const row of rows.verdicts)
    if (isAsked(row)) emit({ type: 'verdict', row: { ...row, ...key } })
  if (!looks) copyMetrics(key, `score/${benchmark.name}/`, known, { emit })
}

/** Metrics of the base whose name begins so. */
export function copyMetrics(
  key: SubjectKey,
  beginning: string,
  known: BaseRows,
  { emit }: Pick<JobContext, 'emit'>,
): void {
  for (const row of known.rows().metrics)
    if (isBase(row) && row.name.startsWith(beginning))
      emit({ type: 'metric', row: { ...row, ...key } })
}

/** The base's evaluation of this name. */
export const measuredBase = (known: BaseRows, name: string): FinishedEvaluation | undefined =>
  known.rows().evaluations.find((row) => isBase(row) && row.benchmark === name)
