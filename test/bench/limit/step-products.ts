/**
 * @file The matrix products of a training step of a Llama, written out: y `[m, n]` = x `[m, k]`·W are 2·m·k·n operations. Of every
 * linear layer a step has the product forward and its input's gradient; of a trained one its weight's gradient, too; LoRA of rank r
 * has the two products with A and B forward, and of each both gradients. The head is read at labelled tokens alone.
 */
import type { LlamaSize } from '../harness/random-model.ts'

export interface Product {
  readonly what: string
  readonly m: number
  readonly k: number
  readonly n: number
  /** How often a step has it. */
  readonly times: number
}

interface Step {
  readonly rows: number
  readonly length: number
  /** Of LoRA on every linear layer; absent where every weight is trained. */
  readonly rank?: number
}

export const operationsOf = ({ m, k, n, times }: Product): number => 2 * m * k * n * times

export function productsOf(size: LlamaSize, { rows, length, rank }: Step): Product[] {
  const { hidden, layers, heads, kvHeads, intermediate, vocab } = size
  const head = hidden / heads
  const m = rows * length
  const linear = [
    { what: 'q, o', k: hidden, n: hidden, count: 2 },
    { what: 'k, v', k: hidden, n: kvHeads * head, count: 2 },
    { what: 'gate, up', k: hidden, n: intermediate, count: 2 },
    { what: 'down', k: intermediate, n: hidden, count: 1 },
  ]
  const passes = rank === undefined ? 3 : 2
  const blocks = linear.map(({ what, k, n, count }) => ({
    what,
    m,
    k,
    n,
    times: passes * count * layers,
  }))
  const lowRank = linear.flatMap(({ what, k, n, count }) => {
    const times = 3 * count * layers
    return rank === undefined
      ? []
      : [
          { what: `A of ${what}`, m, k, n: rank, times },
          { what: `B of ${what}`, m, k: rank, n, times },
        ]
  })
  // Scores and values, forward once and backward twice; what a causal mask hides is half of them.
  const attention = { m: length, k: head, n: length / 2, times: 2 * 3 * rows * heads * layers }
  const labelled = rows * (length - 1)
  return [
    ...blocks,
    ...lowRank,
    { what: 'attention', ...attention },
    { what: 'head', m: labelled, k: hidden, n: vocab, times: passes },
  ]
}
