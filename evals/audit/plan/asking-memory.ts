/** @file Memory of one state that is asked: keys and values of its replies, what reading prompts takes, and the tokens that are scored. */
import { evenWidth } from '../../inference/feeds.ts'
import { replyTokens } from '../../inference/prompt.ts'
import { SCORED_ROWS } from '../../inference/room.ts'
import { rowBytes } from '../../inference/slots.ts'
import { keptCache } from '../../inference/small-cache.ts'
import type { Message } from '../../contract/rows.ts'
import { neutralTexts } from '../../measure/sources.ts'
import { repliesOf, type PreparedBenchmark } from '../../measure/benchmark-sources.ts'
import { prepareInContexts } from '../../measure/contexts.ts'
import type { CacheLayer, WeightSpec } from '../../models/architecture.ts'
import type { OpenModel } from '../../models/checkpoint.ts'
import { cacheOf, isEncoder, type Model } from '../../models/registry.ts'
import { promptText } from '../../models/text/prompt-text.ts'
import type { AuditConfig } from '../config.ts'

const FLOAT = 4
/** Keys and values of a layer as floats: what was read of them, and what the kernel makes of both. */
const WIDENED = 4
/** Where outputs are copied ONNX Runtime has the extended caches beside those that it was given. */
const COPIED = 2
/** Texts of a run, however long. */
const LEAST_TEXTS = 2
/** Slots beyond the rows of a batch: a single row is doubled. */
const SPARE = 1

/** A benchmark: replies in all, and tokens of its longest prompt and of the longest reply. */
interface AskedBenchmark {
  readonly replies: number
  readonly prompt: number
  readonly reply: number
}

export interface AskedTexts {
  readonly benchmarks: readonly AskedBenchmark[]
  /** Tokens of the texts that are scored. */
  readonly neutral: readonly number[]
}

export interface Asking {
  /** Keys and values in our memory. */
  readonly cacheBytes: number
  /** While prompts are read: activations, and keys and values that are not ours. */
  readonly workBytes: number
  /** Most tokens that are scored in a run. */
  readonly scored: number
}

interface Opened {
  readonly open: Pick<OpenModel, 'template' | 'tokenizer'>
  readonly model: Model
}

/** Undefined for models that write nothing. */
export async function askedTexts(
  { open, model }: Opened,
  config: Parameters<typeof prepareInContexts>[0] & Pick<AuditConfig, 'limit'>,
): Promise<AskedTexts | undefined> {
  if (isEncoder(model)) return undefined
  const prepared = await prepareInContexts(config, { open, model })
  const neutral = await neutralTexts(prepared, config.limit)
  const asked = prepared.filter(({ context }) => !context?.unasked)
  return {
    benchmarks: await Promise.all(asked.map((each) => askedBenchmark(open, each))),
    neutral: neutral.map(({ text }) => open.tokenizer.encode(text).length),
  }
}

async function askedBenchmark(
  open: Opened['open'],
  prepared: PreparedBenchmark,
): Promise<AskedBenchmark> {
  const { benchmark, samples, decoding } = prepared
  const longest = samples.map(({ messages }) => messages).reduce(longer, [])
  const text = await promptText(open.template, longest)
  return {
    replies: repliesOf(prepared),
    prompt: open.tokenizer.encode(text).length,
    reply: replyTokens(open, { ...decoding, ...benchmark }),
  }
}

const lengthOf = (messages: readonly Message[]): number =>
  messages.reduce((sum, { content }) => sum + content.length, 0)
const longer = (a: readonly Message[], b: readonly Message[]) => (lengthOf(b) > lengthOf(a) ? b : a)

interface How extends Partial<Pick<AuditConfig, 'cachePrecision'>> {
  readonly batchSize: number
  /** Passes with a cache of their own: two of a method with a gate. */
  readonly passes?: number
  /** Whether outputs are copied, as they are without the addon. */
  readonly isCopied: boolean
}

/** Of the benchmark that takes the most. */
export function askingOf(model: Model, { benchmarks, neutral }: AskedTexts, how: How): Asking {
  const kept = how.cachePrecision === 'float32' ? undefined : how.cachePrecision
  const one = keptCache(cacheOf(model), kept)
  const cache = Array.from({ length: how.passes ?? 1 }, () => one).flat()
  const all = benchmarks.map((each) => ofBenchmark(model, cache, each, how))
  const most = (numbers: readonly number[]) => numbers.reduce((a, b) => Math.max(a, b), 0)
  const read = inARun(neutral, how.batchSize)
  const reading = read * FLOAT * numbersOfToken(model)
  return {
    cacheBytes: most(all.map(({ cacheBytes }) => cacheBytes)),
    workBytes: most([...all.map(({ workBytes }) => workBytes), reading]),
    scored: most([...all.map(({ scored }) => scored), read]),
  }
}

/** Tokens of the longest texts that are scored in one run (`inference/score.ts`), where a single one is doubled. */
function inARun(texts: readonly number[], batchSize: number): number {
  let [tokens, count] = [0, 0]
  for (const own of texts.toSorted((a, b) => b - a).slice(0, Math.max(1, batchSize))) {
    if (count >= LEAST_TEXTS && tokens + own > SCORED_ROWS) break
    tokens += own
    count++
  }
  return count === 1 ? LEAST_TEXTS * tokens : tokens
}

function ofBenchmark(
  model: Model,
  cache: readonly CacheLayer[],
  { replies, prompt, reply }: AskedBenchmark,
  { batchSize, isCopied }: How,
): Asking {
  const rows = Math.min(replies, batchSize)
  const capacity = evenWidth(prompt) + reply
  const cacheBytes = (rows + SPARE) * rowBytes(cache, capacity)
  const layers = cache.map(({ kept: _, ...layer }) => rowBytes([layer], capacity))
  const isKept = cache.some(({ kept }) => kept !== undefined)
  // `rowBytes` is of keys and values.
  const widened = isKept ? (WIDENED / 2) * rows * Math.max(0, ...layers) : 0
  const copied = isCopied && !isKept ? (COPIED - 1) * cacheBytes : 0
  const read = rows * evenWidth(prompt) * FLOAT * numbersOfToken(model)
  const scored = Math.min(SCORED_ROWS, rows * reply)
  return { cacheBytes, workBytes: read + widened + copied, scored }
}

/**
 * Numbers per token while a prompt is read: the input and output of a layer, each also sorted by adapter, and an MLP's two
 * products.
 */
export function numbersOfToken({ weights }: Pick<Model, 'weights'>): number {
  const sizesOf = (kind: WeightSpec['kind'], axis: 0 | 1) =>
    [...weights.values()].map((spec) => (spec.kind === kind && !spec.head ? spec.shape[axis]! : 0))
  return 6 * Math.max(...sizesOf('linear', 0)) + 4 * Math.max(...sizesOf('embedding', 1))
}
