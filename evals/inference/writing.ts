/**
 * @file Rows being generated, in the first slots of a cache. A finished row frees its slot. A row whose cached keys become
 * stale, because position stretching changed with its length, is computed again.
 */
import type { Completion } from '../contract/rows.ts'
import type { CacheBuffers, CachedSession } from './cached-graph.ts'
import {
  adaptersOf,
  decode,
  evenWidth,
  inCompany,
  prefill,
  readOn,
  type TokenFeeds,
} from './feeds.ts'
import {
  longestReply,
  type GeneratedTokens,
  type GenerateOptions,
  type TokenPrompt,
} from './decoding.ts'
import type { Prefix } from './prefix.ts'
import { nextTokens } from './sampling.ts'
import { openSlots, type Slots } from './slots.ts'

interface Row {
  readonly prompt: TokenPrompt
  readonly index: number
  readonly tokenIds: number[]
  readonly writtenIds: number[]
  /** Whether the token just written used up the prompt's own budget. */
  readonly isEnough: ((token: number) => boolean) | undefined
  logProb: number
  /** Undefined while the row is being generated. */
  stop: Completion['stop'] | undefined
}

export const newRow = (prompt: TokenPrompt, index: number): Row => ({
  prompt,
  index,
  tokenIds: [],
  writtenIds: [],
  isEnough: prompt.budget?.(),
  logProb: 0,
  stop: undefined,
})

export const replyOf = ({ index, tokenIds, writtenIds, stop, logProb }: Row): GeneratedTokens => ({
  index,
  tokenIds,
  writtenIds,
  stop: stop ?? 'length',
  meanLogProb: logProb / writtenIds.length,
})

interface Generation {
  readonly active: number
  /** Computes the prompts of `newcomers`, none longer than earlier ones, and the first token of each. */
  join(newcomers: readonly Row[]): Promise<void>
  /** Computes one more token of each row. */
  step(): Promise<void>
  /** Frees its memory; nothing can be computed any more. */
  end(): void
}

/** @param most rows at a time */
export function startGeneration(
  longest: Row,
  most: number,
  prefix: Prefix | undefined,
  options: GenerateOptions,
): Generation {
  const { session, decoding } = options
  const capacityFor = ({ prompt }: Row) => evenWidth(prompt.ids.length) + longestReply(decoding)
  // One more slot for the copy of a single row.
  let slots = openSlots(session.cache, most + 1, capacityFor(longest))
  let active: Row[] = []
  return {
    get active() {
      return active.length
    },
    async join(newcomers) {
      const capacity = capacityFor([...active, ...newcomers].reduce(longer))
      if (2 * capacity <= slots.capacity) slots = slots.moved(capacity, active.map(lengthOf))
      if (prefix) await readAfterPrefix(prefix, newcomers, slots, active.length, options)
      else await readWhole(newcomers, slots, active.length, options)
      active = compact([...active, ...newcomers], slots, isActive)
    },
    async step() {
      const stale = active.filter((row) => isStale(row, session))
      const fresh =
        stale.length === 0 ? active : compact(active, slots, (row) => !stale.includes(row))
      if (fresh.length > 0) await readNext(fresh, slots, options)
      if (stale.length > 0) await readWhole(stale, slots, fresh.length, options)
      active = compact([...fresh, ...stale], slots, isActive)
    },
    end: () => slots.free(),
  }
}

const isActive = ({ stop }: Row): boolean => stop === undefined

/** Whether the last token's position stretching differs from that of the cached keys. */
const isStale = (row: Row, { stretch }: Pick<CachedSession, 'stretch'>): boolean =>
  stretch !== undefined && stretch(lengthOf(row) + 1) !== stretch(lengthOf(row))

async function readNext(rows: readonly Row[], slots: Slots, options: GenerateOptions) {
  const padded = inCompany(rows, options.session.standsAlone)
  const tokens = padded.map(({ writtenIds }) => writtenIds.at(-1)!)
  const feeds = decode(tokens, padded.map(lengthOf))
  await write(rows, padded, slots.rows(0, padded.length), feeds, options)
}

/** Computes rows from their prompts and tokens so far. */
async function readWhole(
  rows: readonly Row[],
  slots: Slots,
  first: number,
  options: GenerateOptions,
): Promise<void> {
  const padded = inCompany(rows, options.session.standsAlone)
  const texts = padded.map(({ prompt, writtenIds }) => ({ ids: [...prompt.ids, ...writtenIds] }))
  const width = evenWidth(Math.max(...texts.map(({ ids }) => ids.length)))
  const cache = slots.rows(first, padded.length)
  await write(rows, padded, cache, prefill(texts, width, options.padId), options)
}

/** ONNX Runtime continues a cached prefix one row at a time. */
async function readAfterPrefix(
  { length, cache }: Prefix,
  newcomers: readonly Row[],
  slots: Slots,
  first: number,
  options: GenerateOptions,
): Promise<void> {
  for (const [i, row] of newcomers.entries()) {
    options.signal.throwIfAborted()
    slots.fill(first + i, cache, length)
    const feeds = readOn(row.prompt.ids, length, options.padId)
    await write([row], [row], slots.rows(first + i, 1), feeds, options)
  }
}

/** Tokens with cached keys and values: all but the last one generated. */
const lengthOf = ({ prompt, writtenIds }: Row): number => prompt.ids.length + writtenIds.length - 1

const longer = (a: Row, b: Row): Row => (a.prompt.ids.length >= b.prompt.ids.length ? a : b)

/** Removes rows that do not stay, moving the last rows into their slots. */
function compact(rows: readonly Row[], slots: Slots, stays: (row: Row) => boolean): Row[] {
  const compacted = [...rows]
  for (let slot = 0; slot < compacted.length;) {
    if (stays(compacted[slot]!)) {
      slot++
      continue
    }
    const last = compacted.pop()!
    if (slot === compacted.length || !stays(last)) continue
    slots.fill(slot, slots.rows(compacted.length, 1), lengthOf(last))
    compacted[slot] = last
  }
  return compacted
}

/** One run. `padded` are `rows`, doubled if there is a single one that cannot stand alone. */
async function write(
  rows: readonly Row[],
  padded: readonly Row[],
  { past, present }: CacheBuffers,
  feeds: TokenFeeds,
  options: GenerateOptions,
): Promise<void> {
  const adapters = adaptersOf(padded.map(({ prompt }) => prompt))
  const run = { ...options.varying, ...past, ...feeds, ...adapters }
  const { tokens, logProbs } = await nextTokens(run, present, padded, options)
  rows.forEach((row, i) => takeToken(row, tokens[i]!, logProbs[i]!, options))
}

function takeToken(
  row: Row,
  token: number,
  logProb: number,
  { endIds, decoding }: GenerateOptions,
): void {
  row.logProb += logProb
  row.writtenIds.push(token)
  if (endIds.has(token)) row.stop = 'end'
  else row.tokenIds.push(token)
  const isFull = row.writtenIds.length === longestReply(decoding)
  if (row.isEnough?.(token) === true || isFull) row.stop ??= 'length'
}
