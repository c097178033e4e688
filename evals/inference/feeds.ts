/** @file Feeds of a cached graph: a batch of whole prompts, the rest of a prompt, or one new token per row. */
import type { Tensor } from '../runtime/tensor.ts'

export type TokenFeeds = Readonly<
  Record<'tokens' | 'positions' | 'last' | 'total' | 'rows', Tensor>
>

/** Names of a layer's keys or values `[batch, kvHeads, capacity, headDim]` as input and as output. */
export const pastName = (layer: number, part: 'keys' | 'values') => `past.${layer}.${part}`
export const presentName = (layer: number, part: 'keys' | 'values') => `present.${layer}.${part}`
/** Of keys or values in int8, beside either name. */
export const scalesOf = (name: string) => `${name}.scales`

/**
 * Attention processes queries in blocks of an even size, and a block of one query uses another kernel. An even width leaves no
 * such block, whatever the longest prompt of the batch.
 */
export const evenWidth = (longest: number): number => longest + (longest % 2)

export function prefill(
  prompts: readonly { ids: readonly number[] }[],
  longest: number,
  padId: number,
): TokenFeeds {
  const batch = prompts.length
  const lengths = prompts.map(({ ids }) => ids.length)
  const tokens = new Int32Array(batch * longest).fill(padId)
  prompts.forEach(({ ids }, b) => tokens.set(ids, b * longest))
  return {
    tokens: int32(tokens, [batch, longest]),
    positions: countingPositions(batch, longest),
    last: int32(lengths.map((length) => length - 1)),
    total: int32([longest]),
    rows: int32(lengths.map((length, b) => b * longest + length - 1)),
  }
}

/** One prompt from token `from` on; the cache holds the tokens before it. */
export function readOn(ids: readonly number[], from: number, padId: number): TokenFeeds {
  const count = ids.length - from
  const width = evenWidth(count)
  const tokens = new Int32Array(width).fill(padId)
  tokens.set(ids.slice(from))
  return {
    tokens: int32(tokens, [1, width]),
    positions: int32(
      Int32Array.from(tokens, (_, i) => from + i),
      [1, width],
    ),
    last: int32([from + width - 1]),
    total: int32([from + width]),
    rows: int32(inCompany([count - 1])),
  }
}

/**
 * Doubles a single row: a matrix of one row would use another kernel, with other bits, than one of several.
 * @param standsAlone whether the session's kernels are the same
 */
export const inCompany = <T>(rows: readonly T[], standsAlone = false): readonly T[] =>
  rows.length === 1 && !standsAlone ? [rows[0]!, rows[0]!] : rows

/** One new token per row, at position `last` of that row. */
export function decode(tokens: readonly number[], last: readonly number[]): TokenFeeds {
  return {
    tokens: int32(tokens, [tokens.length, 1]),
    positions: int32(last, [last.length, 1]),
    last: int32(last),
    total: int32([Math.max(...last) + 1]),
    rows: int32(last.map((_, b) => b)),
  }
}

/** The adapter of each row, for a session with several (stack.ts); other sessions ignore it. */
export const adaptersOf = (
  rows: readonly { readonly adapter?: number }[],
): Readonly<Record<'adapters', Tensor>> => ({
  adapters: int32(rows.map(({ adapter = 0 }) => adapter)),
})

export const int32 = (
  values: ArrayLike<number>,
  dims: readonly number[] = [values.length],
): Tensor => ({
  data: values instanceof Int32Array ? values : Int32Array.from(values),
  dims,
})

/** 0, 1, 2, … in each row, int32 `[batch, seq]`. */
export const countingPositions = (batch: number, seq: number): Tensor =>
  int32(
    Int32Array.from({ length: batch * seq }, (_, i) => i % seq),
    [batch, seq],
  )
