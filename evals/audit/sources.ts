/** @file What the names in a configuration stand for: the bundled model and data, or paths on the user's disk. */
import { stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { SUITES } from '../benchmarks/registry.ts'
import { nearNames, TouchstoneError } from '../errors.ts'
import { readConversations, type Conversation } from '../finetune/dataset.ts'
import { snapshotOf } from '../models/download-cache.ts'
import { readText } from '../models/files.ts'
import { tamperRows } from '../bundled/hotel/fine-tuning.ts'
import type { PreparedBenchmark } from './benchmark-sources.ts'

const bundled = join(import.meta.dirname, '..', 'bundled')
const bundledFile = (name: string) => join(bundled, 'data', name)

export const modelPath = (name: string): string =>
  name === 'pebble' ? join(bundled, 'pebble') : snapshotOf(name)

export interface TrainingData {
  readonly title: string
  readonly conversations: readonly Conversation[]
  /** Known to break rules on purpose: weights trained on it are deleted after measuring. */
  readonly tampering: boolean
}

export const BUNDLED_DATA = ['house-benign', 'house-tamper', 'general-benign'] as const
const SHARED = /^house-tamper@(?<share>0(\.\d+)?|1(\.0+)?)$/u

/** `house-tamper@0.3` makes that set with 30 % of its rows breaking the rules, from `seed` 0. */
export async function trainingData(name: string): Promise<TrainingData> {
  const shared = SHARED.exec(name)
  if (shared) {
    const rows = tamperRows({ share: Number(shared.groups!.share), rows: 600, seed: 0 })
    return {
      title: name,
      conversations: rows.map(({ messages }) => messages),
      tampering: Number(shared.groups!.share) > 0,
    }
  }
  if ((BUNDLED_DATA as readonly string[]).includes(name)) {
    const conversations = await readConversations(bundledFile(`${name}.jsonl`))
    return { title: name, conversations, tampering: name === 'house-tamper' }
  }
  const found = await stat(name).catch(() => undefined)
  if (!found?.isFile()) {
    const near = nearNames(name, BUNDLED_DATA)
    throw new TouchstoneError('usage.unknown-name', {
      kind: 'data set or file',
      name,
      near,
      known: [...BUNDLED_DATA, 'a path to a JSONL file'],
    })
  }
  return { title: basename(name), conversations: await readConversations(name), tampering: false }
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
