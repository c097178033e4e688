/**
 * @file The matrix products that no audit with these numbers can do without, in float32: each state reads every beginning that prompts
 * share once, and writes its replies; the base reads the last state's replies that are not its own; both read the neutral texts; a
 * training step of LoRA has each linear layer forward and its input's gradient. The head is read where a token is chosen or scored.
 * Left out: LoRA's own products, decompositions, opening of files, everything that is no product. `[m, k]`·`[k, n]` are 2·m·k·n operations.
 */
import type { LlamaSize } from '../harness/random-model.ts'

/** As `work.json` has it: token ids, and of a training row which tokens are labelled. */
export interface Work {
  readonly prompts: readonly { readonly ids: readonly number[] }[]
  readonly neutral: readonly (readonly number[])[]
  readonly steps: readonly (readonly {
    readonly ids: readonly number[]
    readonly labelled: readonly boolean[]
  }[])[]
}

/** Of each prompt's reply: its tokens, and whether the base's is the same. */
export interface Written {
  readonly base: readonly number[]
  readonly last: readonly number[]
  readonly same: readonly boolean[]
}

/** Operations by part. */
export interface Floor {
  readonly base: number
  readonly training: number
  readonly last: number
  readonly underBase: number
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

/** Tokens that have to be read where beginnings that rows share are read once; each with its place, from 1. */
export function placesOnce(rows: readonly (readonly number[])[]): number[] {
  const places: number[] = []
  const sorted = [...rows].sort(byToken)
  let before: readonly number[] = []
  for (const row of sorted) {
    let shared = 0
    while (shared < row.length && row[shared] === before[shared]) shared++
    for (let at = shared; at < row.length; at++) places.push(at + 1)
    before = row
  }
  return places
}

function byToken(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((token, i) => token !== b[i])
  return at < 0 ? a.length - b.length : a[at]! - (b[at] ?? -1)
}

/** Places of the tokens that are read to write a reply of `length` behind `prompt` tokens: all but the last, which is only chosen. */
const placesOfReply = (prompt: number, length: number): number[] =>
  Array.from({ length: Math.max(0, length - 1) }, (_, i) => prompt + i + 1)

export function floorOf(size: LlamaSize, work: Work, written: Written): Floor {
  const { hidden, layers, heads, kvHeads, intermediate, vocab } = size
  const keys = (hidden / heads) * kvHeads
  const linear = 2 * layers * (2 * hidden ** 2 + 2 * hidden * keys + 3 * hidden * intermediate)
  // A token at place p looks at p keys and weighs p values.
  const read = (places: readonly number[]): number =>
    places.length * linear + 4 * layers * hidden * sum(places)
  const head = (tokens: number): number => 2 * hidden * vocab * tokens

  const lengths = work.prompts.map(({ ids }) => ids.length)
  const prompts = read(placesOnce(work.prompts.map(({ ids }) => ids)))
  const neutral =
    read(placesOnce(work.neutral.map((ids) => ids.slice(0, -1)))) +
    head(sum(work.neutral.map((ids) => ids.length - 1)))
  const replies = (state: readonly number[]): number =>
    sum(state.map((length, at) => read(placesOfReply(lengths[at]!, length)))) + head(sum(state))
  const others = written.last.map((length, at) => (written.same[at] ? 0 : length))
  const labelled = (row: Work['steps'][number][number]) => row.labelled.filter(Boolean).length
  const rows = work.steps.flat()
  return {
    base: prompts + neutral + replies(written.base),
    training:
      2 *
      (sum(rows.map(({ ids }) => read(placesOfReply(0, ids.length)))) +
        head(sum(rows.map(labelled)))),
    last: prompts + neutral + replies(written.last),
    underBase: replies(others),
  }
}

export const totalOf = ({ base, training, last, underBase }: Floor): number =>
  base + training + last + underBase
