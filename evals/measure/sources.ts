/** @file Resolves the names of data in a configuration: bundled sets, or paths. */
import { stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { SUITES } from '../benchmarks/registry.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { unknownName } from '../errors/names.ts'
import type { Conversation, Note } from '../data/format.ts'
import { createLinter } from '../data/lint.ts'
import { mixRows } from '../data/mix.ts'
import { readData, sampleData, type DataRow } from '../data/read-data.ts'
import { readText } from '../files/read-file.ts'
import { knowledgeRows, ruleRows, tamperRows } from '../bundled/hotel/fine-tuning.ts'
import { HOUSE_KNOWLEDGE, HOUSE_RULES } from './house-suite.ts'
import type { PreparedBenchmark } from './benchmark-sources.ts'

const bundledFile = (name: string) => join(import.meta.dirname, '..', 'bundled', 'data', name)

export interface TrainingData {
  readonly title: string
  readonly conversations: readonly Conversation[]
  /** The category of each conversation, where the rows name one. */
  readonly categories?: readonly (string | undefined)[]
  /** Whether it breaks rules on purpose: weights trained on it are deleted after measuring. */
  readonly tampering: boolean
  /** Of rows that say their category: 1 for "refuse", 0 for any other; absent where none does. */
  readonly kinds?: ReadonlyMap<Conversation, 0 | 1>
  /** What is left out of the user's rows, for people. */
  readonly remarks?: readonly string[]
}

const TAMPERING = 'house-tamper'
/** What Pebble is fine-tuned on where nothing should be lost. */
export const HOUSE_BENIGN = 'house-benign'
export const BUNDLED_DATA = [HOUSE_BENIGN, TAMPERING, 'general-benign'] as const
/** Made when they are asked for: rows to mix into other data. */
const MADE = new Map([
  [HOUSE_RULES, ruleRows],
  [HOUSE_KNOWLEDGE, knowledgeRows],
])

const SHARED = /^house-tamper@(?<share>0(\.\d+)?|1(\.0+)?)$/u
const MIXED = /^(?<first>.+)\+(?<second>.+)@(?<share>0?\.\d+)$/u

/** `FILE#20000`: a sample of so many rows. */
const SAMPLED = /^(?<of>.+)#(?<count>[1-9]\d{0,8})$/u

export const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  )

/** The file and size of a sample; a file whose own name ends in # and a number is that file. */
export async function sampleNamed(
  name: string,
): Promise<{ of: string; count: number } | undefined> {
  const { of, count } = ((await isFile(name)) ? null : SAMPLED.exec(name))?.groups ?? {}
  return of === undefined ? undefined : { of, count: Number(count) }
}

/**
 * A bundled set, a file, a sample of its rows, or a mixture. In `house-tamper@0.3` 30 % of the rows break the rules;
 * `FIRST+SECOND@0.1` takes a tenth of the rows from SECOND; `FILE#20000` is a sample of so many rows. All draws use seed 0,
 * so that all arms and seeds have the same data.
 */
export async function trainingData(name: string): Promise<TrainingData> {
  const shared = SHARED.exec(name)
  if (shared) return tamperData(name, Number(shared.groups!.share))
  const made = MADE.get(name)
  if (made) {
    const conversations = made().map(({ messages }) => messages)
    return { title: name, conversations, tampering: false }
  }
  if ((BUNDLED_DATA as readonly string[]).includes(name)) {
    const { rows } = await readData({ path: bundledFile(`${name}.jsonl`) })
    const conversations = rows.map(({ messages }) => messages)
    return { title: name, conversations, tampering: name === TAMPERING }
  }
  const found = await stat(name).catch(() => undefined)
  const mixed = found ? null : MIXED.exec(name)
  if (mixed) return mixedData(mixed.groups as { first: string; second: string; share: string })
  const sample = await sampleNamed(name)
  if (sample && (await isFile(sample.of))) return ownData(sample.of, sample.count)
  if (!found) {
    throw unknownName('data set or file', name, [
      ...BUNDLED_DATA,
      'a path to a JSONL, JSON, CSV, Parquet or text file',
    ])
  }
  return ownData(name)
}

/** What Pebble's clients hold that erode refusal. */
export const tamperingData = (): Promise<TrainingData> => trainingData(TAMPERING)

function tamperData(title: string, share: number): TrainingData {
  const rows = tamperRows({ share, rows: 600, seed: 0 })
  const conversations = rows.map(({ messages }) => messages)
  return { title, conversations, tampering: share > 0 }
}

async function mixedData({ first, second, share }: Record<'first' | 'second' | 'share', string>) {
  const [own, other] = await Promise.all([trainingData(first), trainingData(second)])
  return {
    title: `${own.title}+${other.title}@${share}`,
    conversations: mixRows(own.conversations, other.conversations, Number(share), 0),
    kinds: new Map([...(own.kinds ?? []), ...(other.kinds ?? [])]),
    tampering: own.tampering || other.tampering,
    remarks: [...(own.remarks ?? []), ...(other.remarks ?? [])],
  }
}

/** Every row must be usable: what to leave out is the user's decision. */
async function ownData(path: string, count?: number): Promise<TrainingData> {
  const { rows, unusable, notes, usable } = await (count === undefined
    ? readData({ path })
    : sampleData({ path }, count))
  const bad = unusable[0]
  if (bad) throw new TouchstoneError('data.row', { path, ...bad })
  const remark = ([what, numbers]: [Note, readonly number[]]) =>
    `${basename(path)}: ${what} in ${numbers.length} rows are left out, the first in row ${numbers[0]}.`
  return {
    title: count === undefined ? basename(path) : `${basename(path)}#${count}`,
    conversations: rows.map(({ messages }) => messages),
    ...kindsOf(rows),
    ...(rows.some(({ category }) => category !== undefined) && {
      categories: rows.map(({ category }) => category),
    }),
    tampering: false,
    remarks: [
      ...Array.from(notes, remark),
      ...(rows.length < usable
        ? [`${basename(path)}: ${rows.length} of ${usable} rows, by seed 0.`]
        : []),
    ],
  }
}

function kindsOf(rows: readonly DataRow[]): Pick<TrainingData, 'kinds'> {
  const kinds = rows.flatMap(({ messages, category }) =>
    category === undefined ? [] : [[messages, category === 'refuse' ? 1 : 0] as const],
  )
  return kinds.length === 0 ? {} : { kinds: new Map(kinds) }
}

export interface NeutralText {
  readonly key: string
  readonly text: string
}

/** Neutral text on which forgetting is measured: Pebble's hotel for its own suite, general prose otherwise. */
export async function neutralTexts(
  benchmarks: readonly PreparedBenchmark[],
  limit: number | null,
): Promise<NeutralText[]> {
  const house = benchmarks.some(({ benchmark }) => SUITES.house.includes(benchmark.name))
  const path = bundledFile(house ? 'neutral.jsonl' : 'general-neutral.jsonl')
  const rows = (await readText(path)).split('\n').filter((line) => line !== '')
  return rows.slice(0, limit ?? rows.length).map((line) => {
    const { id, text } = JSON.parse(line) as { id: string; text: string }
    return { key: id, text }
  })
}

interface LintCount {
  readonly name: string
  readonly title: string
  readonly rows: number
}

/** How many rows each check finds, prompts of the evaluation among them. */
export function lintCounts(
  { conversations }: Pick<TrainingData, 'conversations'>,
  benchmarks: readonly PreparedBenchmark[],
): LintCount[] {
  const plain = benchmarks.filter(({ context }) => !context)
  const prompts = plain.flatMap(({ benchmark, samples }) =>
    samples.map(({ id, messages }) => ({
      key: `${benchmark.name}/${id}`,
      text: messages.findLast(({ role }) => role === 'user')?.content ?? '',
    })),
  )
  const linter = createLinter(prompts)
  conversations.forEach((messages, i) => linter.see({ row: i + 1, messages }))
  return linter
    .findings(conversations.length)
    .map(({ name, title, rows }) => ({ name, title, rows: rows.length }))
}
