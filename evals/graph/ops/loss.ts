/** @file Cross-entropy over labelled rows. */
import type { GraphCore } from '../builder.ts'
import type { Op } from '../op.ts'
import { ShapeError } from '../shape.ts'
import type { Value } from '../value.ts'
import { logSoftmax } from './reduction.ts'

/**
 * L = −Σ_i weight_i·log softmax(logits_i)[label_i], logits `[n, vocab]`, labels int32 `[n]`, weights `[n]` → `[]`.
 * With weights 1/n it is the mean loss in nats per token. A macro that keeps log softmax, and
 * dlogits = dL·weight·(softmax − onehot(label)).
 */
export const CrossEntropy: Op = {
  name: 'CrossEntropy',
  infer([logits, labels, weights]) {
    if (
      logits!.shape.length !== 2 ||
      labels!.shape[0] !== logits!.shape[0] ||
      weights!.shape[0] !== logits!.shape[0]
    ) {
      throw new ShapeError('CrossEntropy', logits!.shape, labels!.shape, weights!.shape)
    }
    return { outputs: [{ dtype: logits!.dtype, shape: [] }], keep: { logProbs: logits! } }
  },
  emit: ({ e, inputs: [logits, labels, weights] }) => {
    const logProbs = logSoftmax(e, logits!)
    const [column] = e.node('Unsqueeze', [labels!, e.int64([1])])
    const [picked] = e.node('GatherElements', [logProbs, column!], { axis: 1 })
    const [flat] = e.node('Squeeze', [picked!, e.int64([1])])
    const [weighted] = e.node('Mul', [flat!, weights!])
    const [sum] = e.node('ReduceSum', [weighted!, e.int64([0])], { keepdims: 0 })
    return { outputs: e.node('Neg', [sum!]), keep: { logProbs } }
  },
  vjp: ({ g, inputs: [, labels, weights], kept: { logProbs }, dY }) => {
    // dY goes into the n weights rather than over n × vocab numbers.
    const scaled = g.mul(weights!, dY)
    const dLogits = g.apply(CrossEntropyGradient, [logProbs!, labels!, scaled], undefined)[0]!
    return [dLogits, undefined, undefined]
  },
}

/** weight·(exp(logProbs) − onehot(label)): the softmax is scattered into where the label is, not compared everywhere. */
const CrossEntropyGradient: Op = {
  name: 'CrossEntropyGradient',
  infer: ([logProbs]) => ({ outputs: [logProbs!] }),
  emit: ({ e, inputs: [logProbs, labels, weights] }) => {
    const [probabilities] = e.node('Exp', [logProbs!])
    const [column] = e.node('Unsqueeze', [labels!, e.int64([1])])
    const [picked] = e.node('GatherElements', [probabilities!, column!], { axis: 1 })
    const [less] = e.node('Sub', [picked!, e.scalar(1)])
    const [scattered] = e.node('ScatterElements', [probabilities!, column!, less!], { axis: 1 })
    const [perRow] = e.node('Unsqueeze', [weights!, e.int64([1])])
    return { outputs: e.node('Mul', [scattered!, perRow!]) }
  },
  vjp: 'none',
}

/** Log-probability of each row's label, logits `[n, vocab]`, labels int32 `[n]` → `[n]`. Not differentiable. */
export const LabelLogProbs: Op = {
  name: 'LabelLogProbs',
  infer: ([logits, labels]) => ({ outputs: [{ dtype: logits!.dtype, shape: labels!.shape }] }),
  emit: ({ e, inputs: [logits, labels] }) => {
    const logProbs = logSoftmax(e, logits!)
    const [column] = e.node('Unsqueeze', [labels!, e.int64([1])])
    const [picked] = e.node('GatherElements', [logProbs, column!], { axis: 1 })
    return { outputs: e.node('Squeeze', [picked!, e.int64([1])]) }
  },
  vjp: 'none',
}

/** The first index of each row's largest element, x `[n, m]` → int32 `[n]`. Not differentiable. */
export const ArgMax: Op = {
  name: 'ArgMax',
  infer: ([x]) => ({ outputs: [{ dtype: 'int32', shape: [x!.shape[0]!] }] }),
  emit: ({ e, inputs: [x] }) => {
    const [index] = e.node('ArgMax', [x!], { axis: 1, keepdims: 0 })
    return { outputs: e.node('Cast', [index!], { to: { type: 'int32' } }) }
  },
  vjp: 'none',
}

export const losses = (g: GraphCore) => ({
  crossEntropy: (logits: Value, labels: Value, weights: Value) =>
    g.apply(CrossEntropy, [logits, labels, weights], undefined)[0]!,
  labelLogProbs: (logits: Value, labels: Value) =>
    g.apply(LabelLogProbs, [logits, labels], undefined)[0]!,
  argMax: (x: Value) => g.apply(ArgMax, [x], undefined)[0]!,
})
