/** @file RMS normalisation: y = x·w/√(mean(x²) + ε). */
import type { GraphCore } from '../builder.ts'
import type { Op } from '../op.ts'
import { ShapeError } from '../shape.ts'
import type { Value } from '../value.ts'

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

export const normalization = (g: GraphCore) => ({
  rmsNorm: (x: Value, w: Value, epsilon: number) => g.apply(RmsNorm, [x, w], { epsilon })[0]!,
})
