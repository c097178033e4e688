/** @file Normalisation of rows: RMS, y = x·w/√(mean(x²) + ε), and layer normalisation, y = w·(x − μ)/√(var(x) + ε) + b. */
import type { GraphCore } from '../builder.ts'
import type { Op } from '../op.ts'
import { ShapeError } from '../shape.ts'
import type { Value, ValueType } from '../value.ts'

/**
 * x `[rows, n]`, w `[n]` → `[rows, n]`. A macro with one fused kernel; it keeps i = 1/√(mean(x²) + ε) `[rows, 1]`.
 * With z = x·i: dw = Σ_rows dY·z, and with u = dY·w: dx = i·(u − z·mean(u·z)).
 */
export const RmsNorm: Op<{ epsilon: number }> = {
  name: 'RmsNorm',
  infer([x, w]) {
    if (x!.shape.length !== 2 || w!.shape.length !== 1 || x!.shape[1] !== w!.shape[0]) {
      throw new ShapeError('RmsNorm', x!.shape, w!.shape)
    }
    return { outputs: [x!], keep: { inverse: { dtype: x!.dtype, shape: [x!.shape[0]!, 1] } } }
  },
  emit: ({ e, inputs: [x, w], attributes: { epsilon } }) => {
    if (e.dialect.fused) {
      const attributes = { axis: -1, epsilon: { float: epsilon }, stash_type: 1 }
      const [y, inverse] = e.node('SimplifiedLayerNormalization', [x!, w!], attributes, 2)
      return { outputs: [y!], keep: { inverse: inverse! } }
    }
    const [squared] = e.node('Mul', [x!, x!])
    const [mean] = e.node('ReduceMean', [squared!, e.int64([-1])], { keepdims: 1 })
    const [shifted] = e.node('Add', [mean!, e.scalar(epsilon)])
    const [root] = e.node('Sqrt', [shifted!])
    const [inverse] = e.node('Reciprocal', [root!])
    const [z] = e.node('Mul', [x!, inverse!])
    return { outputs: e.node('Mul', [z!, w!]), keep: { inverse: inverse! } }
  },
  vjp: ({ g, inputs: [x, w], kept: { inverse }, dY }) => {
    const n = x!.shape[1] as number
    const z = g.mul(x!, inverse!)
    const u = g.mul(dY, w!)
    const mean = g.mul(g.reduceSum(g.mul(u, z), [1], { keepDims: true }), g.scalar(1 / n))
    return [
      g.mul(inverse!, g.sub(u, g.mul(z, mean))),
      g.reduceSum(g.mul(dY, z), [0], { keepDims: false }),
    ]
  },
}

/**
 * x `[rows, n]`, w and b `[n]` → `[rows, n]`. A macro with one fused kernel; it keeps μ and i = 1/√(var + ε), `[rows, 1]`.
 * With z = (x − μ)·i: dw = Σ_rows dY·z, db = Σ_rows dY, and with u = dY·w: dx = i·(u − mean(u) − z·mean(u·z)).
 */
export const LayerNorm: Op<{ epsilon: number }> = {
  name: 'LayerNorm',
  infer([x, w, b]) {
    const size = x!.shape[1]
    if (x!.shape.length !== 2 || w!.shape[0] !== size || b!.shape[0] !== size) {
      throw new ShapeError('LayerNorm', x!.shape, w!.shape, b!.shape)
    }
    const column: ValueType = { dtype: x!.dtype, shape: [x!.shape[0]!, 1] }
    return { outputs: [x!], keep: { mean: column, inverse: column } }
  },
  emit: ({ e, inputs: [x, w, b], attributes: { epsilon } }) => {
    if (e.dialect.fused) {
      const attributes = { axis: -1, epsilon: { float: epsilon }, stash_type: 1 }
      const [y, mean, inverse] = e.node('LayerNormalization', [x!, w!, b!], attributes, 3)
      return { outputs: [y!], keep: { mean: mean!, inverse: inverse! } }
    }
    const average = (y: string) => e.node('ReduceMean', [y, e.int64([-1])], { keepdims: 1 })[0]!
    const mean = average(x!)
    const [centred] = e.node('Sub', [x!, mean])
    const [shifted] = e.node('Add', [
      average(e.node('Mul', [centred!, centred!])[0]!),
      e.scalar(epsilon),
    ])
    const [inverse] = e.node('Reciprocal', e.node('Sqrt', [shifted!]))
    const [z] = e.node('Mul', [centred!, inverse!])
    const [scaled] = e.node('Mul', [z!, w!])
    return { outputs: e.node('Add', [scaled!, b!]), keep: { mean, inverse: inverse! } }
  },
  vjp: ({ g, inputs: [x, w], kept: { mean, inverse }, dY }) => {
    const n = x!.shape[1] as number
    const average = (y: Value) => g.mul(g.reduceSum(y, [1], { keepDims: true }), g.scalar(1 / n))
    const z = g.mul(g.sub(x!, mean!), inverse!)
    const u = g.mul(dY, w!)
    return [
      g.mul(inverse!, g.sub(g.sub(u, average(u)), g.mul(z, average(g.mul(u, z))))),
      g.reduceSum(g.mul(dY, z), [0], { keepDims: false }),
      g.reduceSum(dY, [0], { keepDims: false }),
    ]
  },
}

export const normalization = (g: GraphCore) => ({
  rmsNorm: (x: Value, w: Value, epsilon: number) => g.apply(RmsNorm, [x, w], { epsilon })[0]!,
  layerNorm: (x: Value, w: Value, b: Value, epsilon: number) =>
    g.apply(LayerNorm, [x, w, b], { epsilon })[0]!,
})
