/** @file One or more examples of every operator, for the laws that hold for all of them. */
import type { Dialect, Op } from '../../../evals/graph/op.ts'
import * as activation from '../../../evals/graph/ops/activation.ts'
import * as attention from '../../../evals/graph/ops/attention.ts'
import type { HeadLayout } from '../../../evals/graph/ops/attention.ts'
import * as elementwise from '../../../evals/graph/ops/elementwise.ts'
import * as linalg from '../../../evals/graph/ops/linalg.ts'
import * as loss from '../../../evals/graph/ops/loss.ts'
import * as movement from '../../../evals/graph/ops/movement.ts'
import * as normalization from '../../../evals/graph/ops/normalization.ts'
import * as reduction from '../../../evals/graph/ops/reduction.ts'
import * as smallCache from '../../../evals/graph/ops/small-cache.ts'
import { pieceOf } from '../../../evals/graph/shape.ts'
import type { Dim } from '../../../evals/graph/value.ts'
import { generic, integers, positive, small, truths, type Given } from './run-graph.ts'

export interface OperatorExample {
  readonly what: string
  readonly op: Op<unknown>
  readonly attributes: (float: Dialect['float']) => unknown
  readonly given: readonly Given[]
  /** Float inputs that carry no gradient by design, by index. */
  readonly fixed?: readonly number[]
  /** Where no float64 kernel exists. */
  readonly only32?: boolean
}

function example<A>(
  what: string,
  op: Op<A>,
  attributes: A | ((float: Dialect['float']) => A),
  given: readonly Given[],
  extra: Pick<OperatorExample, 'fixed' | 'only32'> = {},
): OperatorExample {
  const of = typeof attributes === 'function' ? attributes : () => attributes
  return { what, op: op as Op<unknown>, attributes: of as () => unknown, given, ...extra }
}

const rows = 'rows'

/** Same shapes, a vector against a symbolic matrix on either side, both stretched, and a scalar. */
const binary = (op: Op, second = generic): OperatorExample[] => [
  example('same shapes', op, undefined, [generic('a', [2, 3]), second('b', [2, 3])]),
  example('matrix and vector', op, undefined, [generic('a', [4, 3], [rows, 3]), second('b', [3])]),
  example('vector and matrix', op, undefined, [generic('a', [3]), second('b', [4, 3], [rows, 3])]),
  example('both stretched', op, undefined, [
    generic('a', [4, 1, 3], [rows, 1, 3]),
    second('b', [2, 1]),
  ]),
  example('scalar and matrix', op, undefined, [generic('a', []), second('b', [2, 3])]),
]

const unary = (op: Op, values = generic): OperatorExample[] => [
  example('symbolic matrix', op, undefined, [values('x', [4, 3], [rows, 3])]),
  example('scalar', op, undefined, [values('x', [])]),
]

const comparison = (op: Op): OperatorExample[] => [
  example('integers, stretched', op, undefined, [
    integers([0, 1, 2], ['n', 1], [3, 1]),
    integers([1, 0, 2], ['n'], [3]),
  ]),
]

const matrices = (
  op: Op,
  a: readonly [number, number],
  b: readonly [number, number],
): OperatorExample[] => [
  example('matrices', op, undefined, [generic('a', a), generic('b', b)]),
  example('a stack by a stack', op, undefined, [
    generic('a', [2, 5, ...a], ['batch', 5, ...a]),
    generic('b', [2, 5, ...b], ['batch', 5, ...b]),
  ]),
  example('stacks, both stretched', op, undefined, [
    generic('a', [2, 1, ...a], ['batch', 1, ...a]),
    generic('b', [1, 3, ...b]),
  ]),
  example('a stack by one matrix', op, undefined, [
    generic('a', [2, ...a], ['batch', ...a]),
    generic('b', b),
  ]),
  example('one matrix by a stack', op, undefined, [
    generic('a', a),
    generic('b', [2, ...b], ['batch', ...b]),
  ]),
]

const matrix = generic('x', [4, 3], [rows, 3])
const stack = generic('x', [2, 3, 4], [rows, 3, 4])
const heads = { batch: 'batch', seq: 'seq' } as const
const positions = integers([0, 1, 2, 2, 0, 1], ['batch', 'seq'], [2, 3])

/** Three tokens of two rows read `keys` of them; a symbol where the sizes are known only when the graph runs. */
function attentionExample(
  what: string,
  [count, kvHeads]: readonly [number, number],
  { softcap, keys = [3, 'seq'] }: { softcap?: number; keys?: readonly [number, Dim] } = {},
): OperatorExample {
  const [size, symbol] = keys
  const heads = ['batch', kvHeads] as const
  const groups = count / kvHeads
  return example(
    what,
    attention.Attention,
    { scale: 1 / Math.sqrt(3), ...(softcap !== undefined && { softcap }) },
    [
      generic('Q', [2, kvHeads, groups, 3, 4], [...heads, groups, 'seq', 4]),
      generic('K', [2, kvHeads, size, 4], [...heads, symbol, 4]),
      generic('V', [2, kvHeads, size, 4], [...heads, symbol, 4]),
      generic('bias', [2, 1, 1, 3, size], ['batch', 1, 1, 'seq', symbol]),
    ],
    { fixed: [3] },
  )
}

/** The layouts of queries in groups, of one query a group, and of keys. */
const layouts = ([rows, split]: readonly [Op<HeadLayout>, Op<HeadLayout>]): OperatorExample[] =>
  ([2, 1, undefined] as const).flatMap((group) => {
    const layout = { ...heads, kvHeads: 2, headDim: 4, ...(group !== undefined && { group }) }
    const what = group === undefined ? 'keys' : `groups of ${group}`
    const width = 8 * (group ?? 1)
    const among = group === undefined ? [] : [group]
    return [
      example(what, rows, layout, [generic('x', [6, width], ['batch*seq', width])]),
      example(what, split, layout, [
        generic('x', [2, 2, ...among, 3, 4], ['batch', 2, ...among, 'seq', 4]),
      ]),
    ]
  })

function cachedExample(isPresentUnread = false): OperatorExample {
  const attributes = { heads: 4, kvHeads: 2, headDim: 16, scale: 0.25, ...heads, isPresentUnread }
  const wide = (label: string, n: number) => generic(label, [6, n * 16], ['batch*seq', n * 16])
  const past = (label: string) => generic(label, [2, 2, 5, 16], ['batch', 2, 'capacity', 16])
  return example(
    `two rows of unequal lengths, a prompt${isPresentUnread ? ', whose present nobody reads' : ''}`,
    attention.CachedAttention,
    attributes,
    [
      wide('q', 4),
      wide('k', 2),
      wide('v', 2),
      past('keys'),
      past('values'),
      integers([2, 1], ['batch'], [2]),
      integers([3], [1]),
    ],
    { only32: true },
  )
}

function keptExamples(storage: 'int8' | 'float16'): OperatorExample[] {
  const past = ['batch', 2, 'capacity'] as const
  const scales = storage === 'int8' ? [generic('scales', [2, 2, 3, 1], [...past, 1])] : []
  return [
    example(
      `to ${storage}`,
      smallCache.KeepHeads,
      { kvHeads: 2, headDim: 4, ...heads, storage },
      [generic('x', [6, 8], ['batch*seq', 8])],
      { only32: true },
    ),
    example(
      `from ${storage}`,
      smallCache.ReadHeads,
      { storage, total: 'capacity' },
      [
        integers([3], [1]),
        generic('after', [6, 8], ['batch*seq', 8]),
        small(storage, [2, 2, 3, 4], [...past, 4]),
        ...scales,
      ],
      { only32: true },
    ),
  ]
}

const lowRank = (what: string, scale: number) =>
  example(what, linalg.LowRankLinear, { scale }, [
    generic('x', [5, 4], [rows, 4]),
    generic('W', [3, 4]),
    generic('A', [2, 4]),
    generic('B', [3, 2]),
  ])

const labelled = [generic('logits', [3, 5], ['n', 5]), integers([4, 0, 4], ['n'], [3])]

export const OPERATOR_EXAMPLES: readonly OperatorExample[] = [
  ...binary(elementwise.Add),
  ...binary(elementwise.Sub),
  ...binary(elementwise.Mul),
  ...binary(elementwise.Gated),
  ...binary(elementwise.Div, positive),
  ...comparison(elementwise.GreaterOrEqual),
  ...comparison(elementwise.Equal),
  example('truth values, stretched', elementwise.And, undefined, [
    truths([1, 0, 1], [3]),
    truths([1, 0], [2, 1]),
  ]),
  ...unary(elementwise.Neg),
  ...unary(elementwise.Exp),
  ...unary(elementwise.Log, positive),
  ...unary(elementwise.Sin),
  ...unary(elementwise.Cos),
  ...unary(elementwise.Sqrt, positive),
  ...unary(elementwise.Tanh),
  ...unary(elementwise.Sigmoid),
  example('symbolic matrix', activation.Relu, undefined, [generic('x', [4, 3], [rows, 3])]),
  // Below 0 it has no gradient to compare.
  example('scalar', activation.Relu, undefined, [positive('x', [])]),
  ...unary(activation.Silu),
  ...unary(activation.Erf),
  example('symbolic matrix', activation.Gelu, undefined, [matrix]),
  example('symbolic matrix', activation.GeluTanh, undefined, [matrix]),
  ...unary(elementwise.ConstantOf),
  example('a mask over a matrix and a vector', elementwise.Where, undefined, [
    truths([1, 0, 0], [3, 1]),
    generic('a', [3, 2]),
    generic('b', [2]),
  ]),
  example('a wide mask over small things', elementwise.Where, undefined, [
    truths([1, 0, 0, 1, 1, 0], [2, 3]),
    generic('a', []),
    generic('b', [2, 1]),
  ]),
  example('floats to whole numbers', elementwise.Cast, 'int32', [positive('x', [4])], {
    fixed: [0],
  }),

  ...matrices(linalg.MatMul, [2, 3], [3, 4]),
  ...matrices(linalg.MatMulT, [2, 3], [4, 3]),
  ...matrices(linalg.TMatMul, [3, 2], [3, 4]),
  lowRank('a scale that float32 holds exactly', 2),
  lowRank('a scale that float32 rounds', 16 / 3),

  example(
    'two sizes unknown, joined',
    movement.Reshape,
    ['batch', 'seq', 3],
    [generic('x', [6, 3], ['batch*seq', 3]), generic('carrier', [2, 3], ['batch', 'seq'])],
    { fixed: [1] },
  ),
  example(
    'one size unknown',
    movement.Reshape,
    [rows, 2, 2, 3],
    [generic('x', [4, 12], [rows, 12])],
  ),
  example('all sizes known', movement.Reshape, [3, 4], [generic('x', [2, 6])]),
  example('not its own inverse', movement.Transpose, [1, 2, 0], [stack]),
  example('in the middle', movement.Slice, { axis: 1, start: 1, end: 3 }, [
    generic('x', [2, 4, 3], [rows, 4, 3]),
  ]),
  example('from the start', movement.Slice, { axis: 1, start: 0, end: 1 }, [matrix]),
  example('to the end', movement.Slice, { axis: 1, start: 1, end: 3 }, [matrix]),
  example('three unequal parts', movement.Concat, 1, [
    generic('a', [2, 1], [rows, 1]),
    generic('b', [2, 3], [rows, 3]),
    generic('c', [2, 2], [rows, 2]),
  ]),
  example('a past and what is new', movement.Append, { axis: 1, total: 4 }, [
    generic('past', [2, 3], [rows, 'past']),
    generic('new', [2, 1], [rows, 'seq']),
  ]),
  example(
    'a symbolic tensor',
    movement.Filled,
    (dtype) => ({ shape: [rows, 2], value: 3, dtype }),
    [generic('carrier', [3], [rows])],
  ),
  example('two shapes', movement.Moment, undefined, [
    generic('x', [4, 3], [rows, 3]),
    generic('y', [2]),
  ]),
  example('a matrix', movement.After, undefined, [
    generic('x', [4, 3], [rows, 3]),
    integers([0], [], []),
  ]),
  example('a matrix of known size', movement.After, undefined, [
    generic('x', [4, 3]),
    integers([0], [], []),
  ]),
  example('the second of three', movement.Piece, { axis: 0, from: 1, to: 2, count: 3 }, [
    generic('x', [5, 3], [rows, 3]),
  ]),
  example('all but the last of four', movement.Piece, { axis: 1, from: 0, to: 3, count: 4 }, [
    generic('x', [2, 5, 3], [rows, 5, 3]),
  ]),
  example(
    'the second of three',
    movement.AmongZeros,
    { axis: 1, from: 1, to: 2, count: 3, size: 'seq' },
    [generic('x', [4, 2], [rows, pieceOf('seq', 1, 2, 3)]), generic('carrier', [5], ['seq'])],
    { fixed: [1] },
  ),
  example(
    'three, of five columns in all',
    movement.Joined,
    { axis: 1, size: 'seq' },
    [1, 2, 2].map((size, i) =>
      generic(`part ${i}`, [5, size], ['seq', pieceOf('seq', i, i + 1, 3)]),
    ),
  ),
  example('repeated rows, a matrix of indices', movement.GatherRows, undefined, [
    generic('table', [5, 3]),
    integers([4, 1, 4, 4, 0, 1], ['batch', 3], [2, 3]),
  ]),
  example('of a symbolic table', movement.GatherRows, undefined, [
    generic('table', [4, 3], [rows, 3]),
    integers([3, 3, 0], ['n'], [3]),
  ]),
  example(
    'repeated rows',
    movement.ScatterAddRows,
    [5, 3],
    [integers([4, 1, 4], ['n'], [3]), generic('updates', [3, 3], ['n', 3])],
  ),

  example('one axis kept', reduction.ReduceSum, { axes: [1], keepDims: true }, [stack]),
  example('one axis dropped', reduction.ReduceSum, { axes: [1], keepDims: false }, [stack]),
  example('two axes dropped', reduction.ReduceSum, { axes: [0, 2], keepDims: false }, [stack]),
  example('no axis', reduction.ReduceSum, { axes: [], keepDims: false }, [stack]),
  example('one axis', reduction.ReduceMax, { axes: [1], keepDims: true }, [stack]),
  example('whole numbers', reduction.CumSum, 1, [integers([1, 0, 1, 1], [rows, 2], [2, 2])]),
  example('two of the last axis', reduction.AmongLargest, 2, [stack]),
  example('last axis', reduction.Softmax, undefined, [stack]),
  example('last axis', reduction.LogSoftmax, undefined, [stack]),

  example('rows', normalization.RmsNorm, { epsilon: 1e-5 }, [
    generic('x', [4, 3], [rows, 3]),
    generic('w', [3]),
  ]),

  example('rows', normalization.LayerNorm, { epsilon: 1e-5 }, [
    generic('x', [4, 3], [rows, 3]),
    generic('w', [3]),
    generic('b', [3]),
  ]),

  example(
    'part of each head',
    attention.Rotary,
    { heads: 2, headDim: 8, ...heads },
    [
      generic('x', [6, 16], ['batch*seq', 16]),
      positions,
      generic('cos', [3, 2]),
      generic('sin', [3, 2]),
    ],
    { fixed: [2, 3] },
  ),
  example(
    'two heads, positions that repeat',
    attention.Rotary,
    { heads: 2, headDim: 4, ...heads },
    [
      generic('x', [6, 8], ['batch*seq', 8]),
      positions,
      generic('cos', [3, 2]),
      generic('sin', [3, 2]),
    ],
    { fixed: [2, 3] },
  ),
  ...layouts([attention.SplitHeads, attention.JoinHeads]),
  attentionExample('as many key heads as heads', [2, 2]),
  attentionExample('grouped queries', [4, 2]),
  attentionExample('one key head', [3, 1]),
  attentionExample('grouped queries, scores capped', [4, 2], { softcap: 0.5 }),
  attentionExample('more keys than queries', [4, 2], { keys: [5, 'keys'] }),
  cachedExample(),
  cachedExample(true),
  ...(['int8', 'float16'] as const).flatMap(keptExamples),

  example(
    'unequal weights, a label twice',
    loss.CrossEntropy,
    undefined,
    [...labelled, positive('weights', [3], ['n'])],
    { fixed: [2] },
  ),
  example('rows', loss.LabelLogProbs, undefined, labelled),
  example('rows', loss.NextAndLabelled, undefined, labelled),
]
