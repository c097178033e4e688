/** @file The numbers of a row (`text/number-tokenizer.ts`) as columns of a graph. */
import type { Graph } from '../graph/ops/index.ts'
import type { Value } from '../graph/value.ts'
import { NUMBER_UNIT } from './text/number-tokenizer.ts'

/** tokens int32 `[batch, seq]` → the first `count` numbers of each row, `[batch, count]`; rows have at least as many. */
export function numberColumns(g: Graph, tokens: Value, count: number): Value {
  const places = g.constant(
    Array.from({ length: count }, (_, i) => i),
    'int32',
    [count],
  )
  const columns = g.transpose(g.gatherRows(g.transpose(tokens), places))
  return g.mul(g.cast(columns, g.float), g.scalar(1 / NUMBER_UNIT))
}
