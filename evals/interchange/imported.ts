/** @file Shared by readers of foreign logs: judgements and digests of replies, without the replies' texts. */
import { z } from 'zod'
import { malformedLog } from './log-file.ts'
import { sha256, wordingDigest } from '../files/digest.ts'
import { keyOf } from '../contract/keys.ts'
import { percent } from '../contract/words.ts'
import type { BenchmarkRole, Outcome } from '../contract/rows.ts'
import { OUTCOMES } from '../contract/rows.ts'
import type { ComparedJudgement, ComparedRun, Wording } from '../findings/gate/compared-run.ts'
import { successOf, WITHHELD } from './measured.ts'

/** Characters of a prompt that are shown beside a flip. */
const SHOWN = 2000

/** Of a long one its beginning and its end, where the question stands behind solved examples. */
export const shown = (prompt: string): string =>
  prompt.length > SHOWN ? `${prompt.slice(0, SHOWN / 2)}…\n${prompt.slice(-SHOWN / 2)}…` : prompt

export const isOutcome = (value: unknown): value is Outcome =>
  (OUTCOMES as readonly unknown[]).includes(value)

export const numberOr = (value: unknown): number | null =>
  typeof value === 'number' ? value : null

export function requireOnce(seen: Set<string>, key: string, where: string): void {
  if (seen.has(key)) throw malformedLog(where, 'a document a second time', 'every document once')
  seen.add(key)
}

/** Numbers equal parts from 0: the epoch of a reply in a log that names none. */
export function epochCounter() {
  const counts = new Map<string, number>()
  return (...parts: readonly string[]): number => {
    const key = keyOf(...parts)
    const before = counts.get(key) ?? 0
    counts.set(key, before + 1)
    return before
  }
}

/** Fields in which logs say what a prompt comes from. */
const CLUSTER_FIELDS = ['cluster', 'template_id', 'document_id', 'passage_id', 'conversation_id']

type NamedCluster = Pick<ComparedJudgement, 'cluster' | 'isClusterImplied'>

/** The cluster that the data of a sample names; the number of a document need not be meant as one. */
export function clusterIn(data: Readonly<Record<string, unknown>>): NamedCluster {
  const field = CLUSTER_FIELDS.find((each) => data[each] != null)
  const value = field === undefined ? undefined : data[field]
  if (typeof value !== 'string' && typeof value !== 'number') return {}
  return { cluster: String(value), ...(field !== 'cluster' && { isClusterImplied: true }) }
}

/** Names of settings by which models are asked, without signs and capitals; a seed and the model itself are compared elsewhere. */
const SETTINGS = new Set(
  (
    'maxtokens maxnewtokens maxgentoks maxcompletiontokens maxoutputtokens maxlength maxmodellen maxseqlen contextlen truncation ' +
    'temperature topp topk minp dosample numbeams stop stopsequences until frequencypenalty presencepenalty repetitionpenalty ' +
    'system systemprompt systeminstruction enablethinking thinking thinkendtoken thinkstarttoken reasoning reasoningeffort ' +
    'reasoningtokens showthinking addbostoken prefixtokenid chattemplate chattemplateargs chattemplatekwargs applychattemplate ' +
    'deprefix skipseqstart skipseqend'
  ).split(' '),
)
const nameOfSetting = (key: string) =>
  key
    .slice(key.lastIndexOf('.') + 1)
    .toLowerCase()
    .replaceAll(/[^a-z]/gu, '')

/**
 * Settings by which a model was asked, wherever in a tool's own words they stand ("max_length=512,dtype=auto" too); undefined where
 * none does.
 */
export function settingsIn(value: unknown): string[] | undefined {
  const found = settingsBelow(value, 0)
  return found.length > 0 ? [...new Set(found)].sort() : undefined
}

const DEEPEST = 8

function settingsBelow(value: unknown, depth: number): string[] {
  const fields = typeof value === 'string' ? assigned(value) : value
  if (typeof fields !== 'object' || fields === null || depth > DEEPEST) return []
  return Object.entries(fields).flatMap(([key, inner]) => {
    const name = nameOfSetting(key)
    if (!SETTINGS.has(name)) return settingsBelow(inner, depth + 1)
    return inner == null || inner === '' ? [] : [`${name} ${JSON.stringify(inner).toLowerCase()}`]
  })
}

/** "a=1,b=x" */
function assigned(text: string): Record<string, string> {
  if (!text.includes('=')) return {}
  const parts = text.split(',').map((part) => /^\s*([\w.]+)=(.*)$/su.exec(part))
  return Object.fromEntries(parts.flatMap((part) => (part ? [[part[1]!, part[2]!.trim()]] : [])))
}

/** How a log's scores were made, as far as it says; empty where it says nothing. Addresses in the text of functions differ in every run. */
export function scoredAs(said: Readonly<Record<string, unknown>>): string {
  const known = Object.entries(said).filter(([, value]) => value !== null && value !== undefined)
  if (known.length === 0) return ''
  return sha256(JSON.stringify(known).replaceAll(/0x[0-9a-f]+/gu, '')).slice(0, 16)
}

/** Collects judgements; the same reply judged twice is a damaged log. */
export function createCollector(path: string) {
  const judged: ComparedJudgement[] = []
  const seen = new Set<string>()
  const roles = new Map<string, ComparedJudgement['role']>()
  return {
    judged,
    add: (row: ComparedJudgement): void => {
      const asked = keyOf(row.benchmark, row.judge)
      const role = roles.get(asked) ?? row.role
      if (role !== row.role)
        throw malformedLog(path, `${role} and ${row.role} of "${shown(row.benchmark)}"`, 'one role')
      roles.set(asked, role)
      const key = keyOf(row.benchmark, row.judge, row.sampleId, row.epoch)
      if (seen.has(key)) {
        const found = `sample "${shown(row.sampleId)}" twice`
        throw malformedLog(path, found, 'every sample once')
      }
      seen.add(key)
      judged.push(row)
    },
  }
}

interface ToldReply extends Pick<ComparedJudgement, 'benchmark' | 'sampleId' | 'epoch'> {
  /** Text, or texts and numbers in lists and objects; null or undefined where the log does not hold it. */
  readonly said: unknown
  /** What the reply was given, and by what; used where it is not held. */
  readonly scores?: unknown
  readonly scorer?: string
}

/** Collects `wordings` of replies, and keeps no text. */
export function createWordings() {
  const known = new Map<string, Wording>()
  const silent = new Set<string>()
  return {
    of: (): ReadonlyMap<string, Wording> => known,
    /** What says nothing neither resisted nor answered, whatever a scorer finds in it. */
    heard: (row: ComparedJudgement): ComparedJudgement =>
      row.role !== 'capability' && silent.has(keyOf(row.benchmark, row.sampleId, row.epoch))
        ? { ...row, outcome: 'undecided' }
        : row,
    add: ({ benchmark, sampleId, epoch, said, scores, scorer = '' }: ToldReply): void => {
      const words = leavesOf(said)
      if (said != null && words.every(isBlank)) silent.add(keyOf(benchmark, sampleId, epoch))
      if (words.length > 0 && !words.includes(WITHHELD)) {
        const digest = wordingDigest(...words.map(String))
        known.set(keyOf(benchmark, sampleId, epoch), { of: 'reply', digest })
        return
      }
      const numbers = leavesOf(scores)
      if (numbers.every((each) => Number.isInteger(numberIn(each) ?? 0))) return
      const digest = sha256(JSON.stringify(numbers))
      known.set(keyOf(benchmark, `${sampleId} ${scorer}`, epoch), { of: 'scores', digest })
    },
  }
}

/** Of spaces, and of signs that nobody sees. */
export const isBlank = (said: unknown): boolean =>
  typeof said === 'string' && /^[\s\p{Cf}]*$/u.test(said)

/** UUIDs, and the shorter form that Inspect draws; no number or digest, which two logs may share. */
const RANDOM_ID =
  /^(?:[\da-fA-F]{8}-[\da-fA-F]{4}-[1-8][\da-fA-F]{3}-[\da-fA-F]{4}-[\da-fA-F]{12}|[2-9A-HJ-NP-Za-km-z]{22})$/u

/** Collects `rowIds`: two rows of one id are one row and its copy. */
export function createRowIds() {
  const known = new Map<string, string>()
  return {
    of: (): ReadonlyMap<string, string> => known,
    add: (id: unknown, sampleId: string): void => {
      if (typeof id === 'string' && RANDOM_ID.test(id)) known.set(id, sampleId)
    },
  }
}

/** Texts and numbers in the order in which they stand, however deep. */
function leavesOf(value: unknown): unknown[] {
  const [leaves, left] = [[] as unknown[], [value]]
  while (left.length > 0) {
    const next = left.pop()
    if (next === null || next === undefined) continue
    if (typeof next !== 'object') leaves.push(next)
    else for (const inner of Object.values(next).reverse()) left.push(inner)
  }
  return leaves
}

/** Refuses a log without a decided reply, which would compare as equal to everything. */
export function refuseUndecided(run: ComparedRun): ComparedRun {
  if (run.judged.some(({ outcome }) => outcome !== 'undecided')) return run
  const found = 'no score that is right or wrong'
  throw malformedLog(run.origin, found, 'scores of 1 or 0, C or I, for each sample')
}

/** Throws where an outcome, as our own logs write it, is not what the score beside it says. */
export function requireSameOutcome(
  { role, outcome, score }: { role: BenchmarkRole; outcome: Outcome; score: unknown },
  where: string,
): void {
  const success = successOf(role, outcome)
  const isDenied = typeof score === 'number' && success !== null && Number(success) !== score
  if (!isDenied) return
  throw malformedLog(where, `the outcome "${outcome}" beside a score of ${score}`, 'both the same')
}

/** Lists under keys. */
export function createLists<V>() {
  const lists = new Map<string, V[]>()
  return {
    add: (key: string, ...values: readonly V[]): void => {
      const known = lists.get(key)
      if (known) known.push(...values)
      else lists.set(key, [...values])
    },
    of: (key: string): readonly V[] => lists.get(key) ?? [],
  }
}

interface Aggregate {
  readonly path: string
  readonly name: string
  /** What the log says of all samples together. */
  readonly said: unknown
  readonly values: readonly unknown[]
  /** Samples that the log says to have; as many as values if it does not. */
  readonly size?: number | null | undefined
}

/** Rates are written with at least four digits. */
const ROUNDED = 1e-4

/**
 * Throws where a rate that a log says of its samples is not their mean, whatever those without a value would add: samples were left
 * out, put in or changed.
 */
export function requireMean({ path, name, said: told, values, size }: Aggregate): void {
  const [rate, all] = [numberIn(told), Math.max(values.length, size ?? 0)]
  const known = values.flatMap((value) => numberIn(value) ?? [])
  if (rate === null || known.length === 0) return
  const sum = known.reduce((total, value) => total + value, 0)
  const open = all - known.length
  const isWithin = (each: number) =>
    each >= (sum + open * Math.min(0, ...known)) / all - ROUNDED &&
    each <= (sum + open * Math.max(1, ...known)) / all + ROUNDED
  if (isWithin(rate) || isWithin(rate / 100)) return
  const shownAs = (each: number) => (each >= 0 && each <= 1 ? percent(each) : String(each))
  const found = `"${shown(name)}" of ${shownAs(rate)} in its results, and of ${shownAs(sum / known.length)} in its ${known.length} samples`
  throw malformedLog(path, found, 'results that are the mean of the samples beside them')
}

/** Also where a number is written as a text. */
function numberIn(value: unknown): number | null {
  if (typeof value === 'boolean') return Number(value)
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : null
}

/** What our own logs call the weights that they are of, as the run itself does. */
export const weightsIn = (own: unknown): Pick<ComparedRun, 'weights'> =>
  Weights.safeParse(own).data ?? {}
const Weights = z.object({ weights: z.string() })
