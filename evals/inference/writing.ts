/** @file Rows that are being written, side by side in the first slots of a cache. One that ends makes room for another. */
import type { Completion } from '../contract/rows.ts'
import type { CacheBuffers } from './cached-graph.ts'
import {
  adaptersOf,
  decode,
  evenWidth,
  inCompany,
  prefill,
  readOn,
  type TokenFeeds,
} from './feeds.ts'
import type { GeneratedTokens, GenerateOptions, TokenPrompt } from './generate.ts'
import type { Prefix } from './prefix.ts'
import { nextTokens } from './sampling.ts'
import { openSlots, type Slots } from './slots.ts'

export interface Row {
  readonly prompt: TokenPrompt
  readonly index: number
  readonly tokenIds: number[]
  readonly writtenIds: number[]
  logProb: number
  /** Undefined while it is written on. */
  stop: Completion['stop'] | undefined
}

export const newRow = (prompt: TokenPrompt, index: number): Row => ({
  ...{ prompt, index, tokenIds: [], writtenIds: [] },
  ...{ logProb: 0, stop: undefined },
})

export const answerOf = ({ index, tokenIds, writtenIds, stop, logProb }: Row): GeneratedTokens => ({
  ...{ index, tokenIds, writtenIds },
  stop: stop ?? 'length',
  meanLogProb: logProb / writtenIds.length,
})

export interface Writing {
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
      going = closeRanks([...going, ...newcomers], slots)
    },
    async goOn() {
      const asked = inCompany(going)
      const tokens = asked.map(({ writtenIds }) => writtenIds.at(-1)!)
      const feeds = decode(tokens, asked.map(lengthOf))
      await write(going, asked, slots.rows(0, asked.length), feeds, options)
      going = closeRanks(going, slots)
    },
  }
}

async function readWhole(
  newcomers: readonly Row[],
  slots: Slots,
  first: number,
  options: GenerateOptions,
): Promise<void> {
  const asked = inCompany(newcomers)
  const width = evenWidth(newcomers.reduce(longer).prompt.ids.length)
  const prompts = asked.map(({ prompt }) => prompt)
  const cache = slots.rows(first, asked.length)
  await write(newcomers, asked, cache, prefill(prompts, width, options.padId), options)
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

/** Rows that have ended leave, and the last ones take their slots. */
function closeRanks(rows: readonly Row[], slots: Slots): Row[] {
  const ranks = [...rows]
  for (let slot = 0; slot < ranks.length;) {
    if (ranks[slot]!.stop === undefined) {
      slot++
      continue
    }
    const last = ranks.pop()!
    if (slot === ranks.length || last.stop !== undefined) continue
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
