/** @file The numbers of a row (`text/number-tokenizer.ts`) in a graph. */
import type { Graph } from '../graph/ops/index.ts'
import type { Value } from '../graph/value.ts'
import { NUMBER_UNIT } from './text/number-tokenizer.ts'

/** tokens int32 `[batch, seq]` → `count` numbers of each row from the given one on, `[count, batch]`; rows have so many. */
export function numberRows(g: Graph, tokens: Value, from: number, count: number): Value {
  const places = Array.from({ length: count }, (_, i) => from + i)
  const rows = g.gatherRows(g.transpose(tokens), g.constant(places, 'int32', [count]))
  return g.mul(g.cast(rows, g.float), g.scalar(1 / NUMBER_UNIT))
}

/** The same as columns, `[batch, count]`. */
export const numberColumns = (g: Graph, tokens: Value, from: number, count: number): Value =>
  g.transpose(numberRows(g, tokens, from, count))
