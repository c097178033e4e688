/** @file Cross-entropy over labelled rows. */
import type { GraphCore } from '../builder.ts'
import type { Emitter, Op } from '../op.ts'
import { ShapeError } from '../shape.ts'
import type { Value } from '../value.ts'
import { exponentials, logSoftmax } from './reduction.ts'

/**
 * L = −Σ_i weight_i·log softmax(logits_i)[label_i], logits `[n, vocab]`, labels int32 `[n]`, weights `[n]` → `[]`. With weights
 * 1/n it is the mean loss in nats per token. A macro that keeps the powers e^(logits − max) and their sums;
 * dlogits = dL·weight·(powers/sum − onehot(label)).
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
    const { dtype, shape } = logits!
    const keep = { powers: logits!, sum: { dtype, shape: [shape[0]!, 1] } }
    return { outputs: [{ dtype, shape: [] }], keep }
  },
  emit: ({ e, inputs: [logits, labels, weights] }) => {
    const { shifted, powers, sum } = exponentials(e, logits!)
    const picked = atLabel(e, shifted, labels!)
    const [log] = e.node('Log', [sum])
    const [logProb] = e.node('Sub', [picked, log!])
    const [flat] = e.node('Squeeze', [logProb!, e.int64([1])])
    const [weighted] = e.node('Mul', [flat!, weights!])
    const [total] = e.node('ReduceSum', [weighted!, e.int64([0])], { keepdims: 0 })
    return { outputs: e.node('Neg', [total!]), keep: { powers, sum } }
  },
  vjp: ({ g, inputs: [, labels, weights], kept: { powers, sum }, dY }) => {
    // Multiplying n weights by dY is cheaper than n × vocab numbers.
    const scaled = g.mul(weights!, dY)
    const inputs = [powers!, sum!, labels!, scaled]
    return [g.apply(CrossEntropyGradient, inputs, undefined)[0]!, undefined, undefined]
  },
}

/** `[n, vocab]` → `[n, 1]`, each row's element at its label. */
function atLabel(e: Emitter, x: string, labels: string): string {
  const [column] = e.node('Unsqueeze', [labels, e.int64([1])])
  return e.node('GatherElements', [x, column!], { axis: 1 })[0]!
}

/** powers·(weight/sum) − weight·onehot(label), by scattering at the label instead of comparing every index. */
const CrossEntropyGradient: Op = {
  name: 'CrossEntropyGradient',
  infer: ([powers]) => ({ outputs: [powers!] }),
  emit: ({ e, inputs: [powers, sum, labels, weights] }) => {
    const [perRow] = e.node('Unsqueeze', [weights!, e.int64([1])])
    const [share] = e.node('Div', [perRow!, sum!])
    const [weighted] = e.node('Mul', [powers!, share!])
    const [less] = e.node('Sub', [atLabel(e, weighted!, labels!), perRow!])
    const [column] = e.node('Unsqueeze', [labels!, e.int64([1])])
    return { outputs: e.node('ScatterElements', [weighted!, column!, less!], { axis: 1 }) }
  },
  vjp: 'none',
}

/** Log-probability of each row's label, logits `[n, vocab]`, labels int32 `[n]` → `[n]`. Not differentiable. */
export const LabelLogProbs: Op = {
  name: 'LabelLogProbs',
  infer: ([logits, labels]) => ({ outputs: [{ dtype: logits!.dtype, shape: labels!.shape }] }),
  emit: ({ e, inputs: [logits, labels] }) => {
    const logProbs = logSoftmax(e, logits!)
    return { outputs: e.node('Squeeze', [atLabel(e, logProbs, labels!), e.int64([1])]) }
  },
  vjp: 'none',
}

/**
 * Of logits `[n, vocab]` and labels int32 `[n]`: the first index of each row's largest, its log-probability, and that of the
 * label. One softmax and one graph give what generating and scoring read. Not differentiable.
 */
export const NextAndLabelled: Op = {
  name: 'NextAndLabelled',
  infer([logits, labels]) {
    const of = { dtype: logits!.dtype, shape: labels!.shape }
    return { outputs: [{ ...of, dtype: 'int32' }, of, of] }
  },
  emit({ e, inputs: [logits, labels] }) {
    const logProbs = logSoftmax(e, logits!)
    const [index] = e.node('ArgMax', [logits!], { axis: 1, keepdims: 0 })
    const token = e.node('Cast', [index!], { to: { type: 'int32' } })[0]!
    const at = (label: string) => e.node('Squeeze', [atLabel(e, logProbs, label), e.int64([1])])[0]!
    return { outputs: [token, at(token), at(labels!)] }
  },
  vjp: 'none',
}

export const losses = (g: GraphCore) => ({
  crossEntropy: (logits: Value, labels: Value, weights: Value) =>
    g.apply(CrossEntropy, [logits, labels, weights], undefined)[0]!,
  labelLogProbs: (logits: Value, labels: Value) =>
    g.apply(LabelLogProbs, [logits, labels], undefined)[0]!,
  nextAndLabelled: (logits: Value, labels: Value) =>
    g.apply(NextAndLabelled, [logits, labels], undefined) as [Value, Value, Value],
})
