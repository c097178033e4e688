/** @file Every macro equals the same function written in primitives: values and gradients, in float64. */
import { describe, expect, test } from 'vitest'
import { FLOAT64 } from '../../../evals/graph/op.ts'
import type { ScoreAttributes } from '../../../evals/graph/ops/attention.ts'
import type { Graph } from '../../../evals/graph/ops/index.ts'
import type { Value } from '../../../evals/graph/value.ts'
import { attended, causalBlocks } from '../../../evals/models/layers.ts'
import {
  generic,
  integers,
  lossAndGradients,
  positive,
  runOnce,
  weightedSum,
  type Given,
} from '../../doubles/graph/run-graph.ts'
import { relativeError } from '../../doubles/models/safetensors.ts'

interface Pair {
  readonly macro: (g: Graph, x: readonly Value[]) => Value
  readonly primitives: (g: Graph, x: readonly Value[]) => Value
  readonly given: readonly Given[]
  readonly wrt: readonly number[]
  /** Dimensions of the output, for the cotangent. */
  readonly output: readonly number[]
}

const [BATCH, SEQ, DIM] = [2, 3, 4]

/** In several blocks of queries, what is hidden from a whole block is never multiplied. */
const attentionPair = (
  heads: number,
  kvHeads: number,
  blocks = 1,
  form: Pick<ScoreAttributes, 'softmax'> = {},
): Pair => {
  const attributes = {
    heads,
    kvHeads,
    headDim: DIM,
    batch: BATCH,
    seq: SEQ,
    scale: 1 / Math.sqrt(3),
    ...form,
  }
  const wide = (label: string, count: number) => generic(label, [BATCH * SEQ, count * DIM])
  const biasOf = (g: Graph, bias: Value) => {
    const hidden = Array.from({ length: SEQ * SEQ }, (_, i) => (i % SEQ > i / SEQ ? -1e9 : 0))
    return blocks === 1 ? bias : g.add(bias, g.constant(hidden, g.float, [1, 1, 1, SEQ, SEQ]))
  }
  return {
    macro(g, [q, k, v, bias]) {
      const biases = causalBlocks(g, biasOf(g, bias!), blocks)
      return attended(g, { q: q!, k: k!, v: v! }, biases, attributes)
    },
    primitives(g, [q, k, v, bias]) {
      const flatBias = g.reshape(biasOf(g, bias!), [BATCH, SEQ, SEQ])
      const head = (x: Value, j: number) =>
        g.reshape(g.slice(x, 1, j * DIM, (j + 1) * DIM), [BATCH, SEQ, DIM])
      const outputs = Array.from({ length: heads }, (_, j) => {
        const at = Math.floor((j * kvHeads) / heads)
        const raw = g.matMul(head(q!, j), g.transpose(head(k!, at)))
        const scores = g.add(g.mul(raw, g.scalar(1 / Math.sqrt(3))), flatBias)
        const powers = g.exp(scores)
        const P = g.div(powers, g.reduceSum(powers, [2], { keepDims: true }))
        return g.reshape(g.matMul(P, head(v!, at)), [BATCH * SEQ, DIM])
      })
      return g.concat(outputs, 1)
    },
    given: [
      wide('q', heads),
      wide('k', kvHeads),
      wide('v', kvHeads),
      generic('bias', [BATCH, 1, 1, SEQ, SEQ]),
    ],
    wrt: [0, 1, 2],
    output: [BATCH * SEQ, heads * DIM],
  }
}

const labels = [4, 0, 4]
const oneHot = labels.flatMap((label) => Array.from({ length: 5 }, (_, i) => Number(i === label)))

const PAIRS: Readonly<Record<string, Pair>> = {
  RmsNorm: {
    macro: (g, [x, w]) => g.rmsNorm(x!, w!, 0.1),
    primitives(g, [x, w]) {
      const mean = g.mul(g.reduceSum(g.mul(x!, x!), [1], { keepDims: true }), g.scalar(1 / 3))
      return g.div(g.mul(x!, w!), g.sqrt(g.add(mean, g.scalar(0.1))))
    },
    given: [generic('x', [4, 3]), generic('w', [3])],
    wrt: [0, 1],
    output: [4, 3],
  },
  Rotary: {
    macro: (g, [x, positions, cos, sin]) =>
      g.rotary(
        x!,
        positions!,
        { cos: cos!, sin: sin! },
        { heads: 2, headDim: DIM, batch: BATCH, seq: SEQ },
      ),
    primitives(g, [x, positions, cos, sin]) {
      const rows = g.reshape(positions!, [BATCH * SEQ])
      const [c, s] = [g.gatherRows(cos!, rows), g.gatherRows(sin!, rows)]
      const part = (start: number) => g.slice(x!, 1, start, start + DIM / 2)
      const turned = [0, 1].flatMap((head) => {
        const [a, b] = [part(head * DIM), part(head * DIM + DIM / 2)]
        return [g.sub(g.mul(a, c), g.mul(b, s)), g.add(g.mul(b, c), g.mul(a, s))]
      })
      return g.concat(turned, 1)
    },
    given: [
      generic('x', [BATCH * SEQ, 2 * DIM]),
      integers([0, 1, 2, 4, 0, 1], [BATCH, SEQ]),
      generic('cos', [5, DIM / 2]),
      generic('sin', [5, DIM / 2]),
    ],
    wrt: [0],
    output: [BATCH * SEQ, 2 * DIM],
  },
  'Attention, as many key heads': attentionPair(2, 2),
  'Attention, grouped queries': attentionPair(4, 2),
  'Attention, one key head': attentionPair(3, 1),
  'Attention, softmax as one kernel': attentionPair(4, 2, 1, { softmax: 'whole' }),
  'Attention in two blocks': attentionPair(4, 2, 2),
  'Attention in a block a token': attentionPair(2, 2, 3),
  LowRankLinear: {
    macro: (g, [x, W, A, B]) => g.lowRankLinear(x!, W!, A!, B!, 16 / 3),
    primitives(g, [x, W, A, B]) {
      const update = g.mul(g.matMul(B!, A!), g.scalar(16 / 3))
      return g.matMul(x!, g.transpose(g.add(W!, update)))
    },
    given: [generic('x', [5, 4]), generic('W', [3, 4]), generic('A', [2, 4]), generic('B', [3, 2])],
    wrt: [0, 1, 2, 3],
    output: [5, 3],
  },
  Silu: {
    macro: (g, [x]) => g.silu(x!),
    primitives: (g, [x]) => g.div(x!, g.add(g.scalar(1), g.exp(g.neg(x!)))),
    given: [generic('x', [4, 3])],
    wrt: [0],
    output: [4, 3],
  },
  CrossEntropy: {
    macro: (g, [logits, label, weights]) => g.crossEntropy(logits!, label!, weights!),
    primitives(g, [logits, , weights]) {
      const total = g.log(g.reduceSum(g.exp(logits!), [1], { keepDims: false }))
      const marks = g.constant(oneHot, g.float, [3, 5])
      const picked = g.reduceSum(g.mul(logits!, marks), [1], { keepDims: false })
      return g.reduceSum(g.mul(g.sub(total, picked), weights!), [0], { keepDims: false })
    },
    given: [generic('logits', [3, 5]), integers(labels, [3]), positive('weights', [3])],
    wrt: [0],
    output: [],
  },
}

describe.each(Object.entries(PAIRS))('%s', (_, { macro, primitives, given, wrt, output }) => {
  const withCotangent = [...given, generic('cotangent', output)]
  const run = (f: Pair['macro']) =>
    runOnce(FLOAT64, withCotangent, (g, x) => {
      let y: Value | undefined
      const loss = (graph: Graph, inputs: readonly Value[]) => {
        y = f(graph, inputs.slice(0, given.length))
        return weightedSum(graph, [[y, inputs[given.length]!]])
      }
      const outputs = lossAndGradients({ loss, given: withCotangent, wrt })(g, x)
      return { ...outputs, y: y! }
    })

  test('has the values and the gradients of its primitives', async () => {
    const [ours, theirs] = [await run(macro), await run(primitives)]
    expect(ours.y!.dims).toEqual(output)
    for (const [name, { data }] of Object.entries(theirs)) {
      const expected = Array.from(data, Number)
      expect(relativeError(Array.from(ours[name]!.data, Number), expected), name).toBeLessThan(
        1e-12,
      )
    }
  })
})
