/** @file What the names of data in a configuration stand for: bundled sets, or paths on the user's disk. */
import { stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { SUITES } from '../benchmarks/registry.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { unknownName } from '../errors/names.ts'
import type { Conversation, Note } from '../data/format.ts'
import { mixRows } from '../data/mix.ts'
import { readData, sampleData } from '../data/read-data.ts'
import { readText } from '../files/read-file.ts'
import { tamperRows } from '../bundled/hotel/fine-tuning.ts'
import type { PreparedBenchmark } from './benchmark-sources.ts'

const bundledFile = (name: string) => join(import.meta.dirname, '..', 'bundled', 'data', name)

export interface TrainingData {
  readonly title: string
  readonly conversations: readonly Conversation[]
  /** Known to break rules on purpose: weights trained on it are deleted after measuring. */
  readonly tampering: boolean
  /** What of the user's rows is not learnt, in words. */
  readonly remarks?: readonly string[]
}

export const BUNDLED_DATA = ['house-benign', 'house-tamper', 'general-benign'] as const
const SHARED = /^house-tamper@(?<share>0(\.\d+)?|1(\.0+)?)$/u
const MIXED = /^(?<first>.+)\+(?<second>.+)@(?<share>0?\.\d+)$/u

/** `FILE#20000`: so many rows of a file. */
const SAMPLED = /^(?<of>.+)#(?<count>[1-9]\d{0,8})$/u

export const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  )

/** What a name asks a sample of; a file whose own name ends so is that file. */
export async function sampleNamed(
  name: string,
): Promise<{ of: string; count: number } | undefined> {
  const { of, count } = ((await isFile(name)) ? null : SAMPLED.exec(name))?.groups ?? {}
  return of === undefined ? undefined : { of, count: Number(count) }
}

/**
 * A bundled set, a file, a sample of its rows, or two mixed: `house-tamper@0.3` makes that set with 30 % of its rows breaking the rules, and
 * `FIRST+SECOND@0.1` takes a tenth of the rows from SECOND, and `FILE#20000` so many rows of a file; all from seed 0, so
 * that arms and seeds learn from the same.
 */
export async function trainingData(name: string): Promise<TrainingData> {
  const shared = SHARED.exec(name)
  if (shared) return tamperData(name, Number(shared.groups!.share))
  if ((BUNDLED_DATA as readonly string[]).includes(name)) {
    const { rows } = await readData({ path: bundledFile(`${name}.jsonl`) })
    const conversations = rows.map(({ messages }) => messages)
    return { title: name, conversations, tampering: name === 'house-tamper' }
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
    tampering: own.tampering || other.tampering,
    remarks: [...(own.remarks ?? []), ...(other.remarks ?? [])],
  }
}

/** Every row must be of use: what to leave out is the user's to say. */
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
    tampering: false,
    remarks: [
      ...Array.from(notes, remark),
      ...(rows.length < usable
        ? [`${basename(path)}: ${rows.length} of ${usable} rows, by seed 0.`]
        : []),
    ],
  }
}

export interface NeutralText {
  readonly key: string
  readonly text: string
}

/** Plain text on which forgetting is measured: Pebble's world for its own suite, general prose otherwise. */
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
