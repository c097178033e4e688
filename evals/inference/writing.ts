/**
 * @file Rows that are being written, side by side in the first slots of a cache. One that ends makes room for another, and
 * one whose keys its next token cannot be read with, because positions stretch with its length, is read again.
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
import type { GeneratedTokens, GenerateOptions, TokenPrompt } from './decoding.ts'
import type { Prefix } from './prefix.ts'
import { nextTokens } from './sampling.ts'
import { openSlots, type Slots } from './slots.ts'

interface Row {
  readonly prompt: TokenPrompt
  readonly index: number
  readonly tokenIds: number[]
  readonly writtenIds: number[]
  logProb: number
  /** Undefined while it is written on. */
  stop: Completion['stop'] | undefined
}

export const newRow = (prompt: TokenPrompt, index: number): Row => ({
  prompt,
  index,
  tokenIds: [],
  writtenIds: [],
  logProb: 0,
  stop: undefined,
})

export const answerOf = ({ index, tokenIds, writtenIds, stop, logProb }: Row): GeneratedTokens => ({
  index,
  tokenIds,
  writtenIds,
  stop: stop ?? 'length',
  meanLogProb: logProb / writtenIds.length,
})

interface Writing {
  readonly going: number
  /** Reads the prompts of `newcomers`, none longer than those before them, and writes the first token of each. */
  join(newcomers: readonly Row[]): Promise<void>
  /** Writes one token more of each. */
  goOn(): Promise<void>
}

/** @param most how many rows may be going at a time */
export function startWriting(
  longest: Row,
  most: number,
  prefix: Prefix | undefined,
  options: GenerateOptions,
): Writing {
  const { session, decoding } = options
  const capacityFor = ({ prompt }: Row) => evenWidth(prompt.ids.length) + decoding.maxNewTokens
  // One slot more, for a lone row's company.
  let slots = openSlots(session.cache, most + 1, capacityFor(longest))
  let going: Row[] = []
  return {
    get going() {
      return going.length
    },
    async join(newcomers) {
      const capacity = capacityFor([...going, ...newcomers].reduce(longer))
      if (2 * capacity <= slots.capacity) slots = slots.moved(capacity, going.map(lengthOf))
      if (prefix) await readBehind(prefix, newcomers, slots, going.length, options)
      else await readWhole(newcomers, slots, going.length, options)
      going = closeRanks([...going, ...newcomers], slots, isGoing)
    },
    async goOn() {
      const stale = going.filter((row) => isStale(row, session))
      const fresh =
        stale.length === 0 ? going : closeRanks(going, slots, (row) => !stale.includes(row))
      if (fresh.length > 0) await readNext(fresh, slots, options)
      if (stale.length > 0) await readWhole(stale, slots, fresh.length, options)
      going = closeRanks([...fresh, ...stale], slots, isGoing)
    },
  }
}

const isGoing = ({ stop }: Row): boolean => stop === undefined

/** Whether the token last written belongs to a longer stretch than the keys before it. */
const isStale = (row: Row, { stretch }: Pick<CachedSession, 'stretch'>): boolean =>
  stretch !== undefined && stretch(lengthOf(row) + 1) !== stretch(lengthOf(row))

async function readNext(rows: readonly Row[], slots: Slots, options: GenerateOptions) {
  const asked = inCompany(rows)
  const tokens = asked.map(({ writtenIds }) => writtenIds.at(-1)!)
  const feeds = decode(tokens, asked.map(lengthOf))
  await write(rows, asked, slots.rows(0, asked.length), feeds, options)
}

/** Their prompts, and what is written of them. */
async function readWhole(
  rows: readonly Row[],
  slots: Slots,
  first: number,
  options: GenerateOptions,
): Promise<void> {
  const asked = inCompany(rows)
  const texts = asked.map(({ prompt, writtenIds }) => ({ ids: [...prompt.ids, ...writtenIds] }))
  const width = evenWidth(Math.max(...texts.map(({ ids }) => ids.length)))
  const cache = slots.rows(first, asked.length)
  await write(rows, asked, cache, prefill(texts, width, options.padId), options)
}

/** ONNX Runtime reads on behind a cache one row at a time. */
async function readBehind(
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

/** Tokens whose keys and values are in the cache: all but the last one written. */
const lengthOf = ({ prompt, writtenIds }: Row): number => prompt.ids.length + writtenIds.length - 1

const longer = (a: Row, b: Row): Row => (a.prompt.ids.length >= b.prompt.ids.length ? a : b)

/** Rows that do not stay leave, and the last ones take their slots. */
function closeRanks(rows: readonly Row[], slots: Slots, stays: (row: Row) => boolean): Row[] {
  const ranks = [...rows]
  for (let slot = 0; slot < ranks.length;) {
    if (stays(ranks[slot]!)) {
      slot++
      continue
    }
    const last = ranks.pop()!
    if (slot === ranks.length || !stays(last)) continue
    slots.fill(slot, slots.rows(ranks.length, 1), lengthOf(last))
    ranks[slot] = last
  }
  return ranks
}

/** One run: `asked` are `rows`, or more of them that nobody listens to. */
async function write(
  rows: readonly Row[],
  asked: readonly Row[],
  { past, present }: CacheBuffers,
  feeds: TokenFeeds,
  options: GenerateOptions,
): Promise<void> {
  const adapters = adaptersOf(asked.map(({ prompt }) => prompt))
  const run = { ...options.varying, ...past, ...feeds, ...adapters }
  const { tokens, logProbs } = await nextTokens(run, present, asked, options)
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
  if (row.writtenIds.length === decoding.maxNewTokens) row.stop ??= 'length'
}
