/** @file Activation functions of MLPs: ReLU, and SiLU and GELU, each a macro with one fused kernel where there is one. */
import type { GraphCore } from '../builder.ts'
import type { Emitter, Op } from '../op.ts'
import type { Value, ValueType } from '../value.ts'

/**
 * SiLU, y = x·σ(x). A macro: one fused kernel where there is one.
 * dx = dY·(s + y(1 − s)) with s = σ(x).
 */
export const Silu: Op = {
  name: 'Silu',
  isLight: true,
  infer: ([x]) => ({ outputs: [x as ValueType] }),
  emit: ({ e, inputs: [x] }) => {
    if (e.dialect.fused) return { outputs: e.contrib('QuickGelu', [x!], { alpha: { float: 1 } }) }
    const [s] = e.node('Sigmoid', [x!])
    return { outputs: e.node('Mul', [x!, s!]) }
  },
  vjp: ({ g, inputs: [x], outputs: [y], dY }) => {
    const s = g.sigmoid(x!)
    return [g.mul(dY, g.add(s, g.mul(y!, g.sub(g.scalar(1), s))))]
  },
}

/** y = max(0, x); dx = dY where y ≠ 0. */
export const Relu: Op = {
  name: 'Relu',
  infer: ([x]) => ({ outputs: [x as ValueType] }),
  emit: ({ e, inputs }) => ({ outputs: e.node('Relu', inputs) }),
  vjp: ({ g, outputs: [y], dY }) => {
    const zero = g.scalar(0)
    return [g.where(g.equal(y!, zero), zero, dY)]
  },
}

/** Terms of erf's series, accurate to 1e-9 for |x| ≤ 4; float64 graphs serve checks on small numbers only. */
const TERMS = 64
const ROOT_HALF = Math.SQRT1_2
const ROOT_TWO_OVER_PI = Math.sqrt(2 / Math.PI)
const CUBIC = 0.044715

/** erf x = 2/√π·Σ (−1)ⁿ·x²ⁿ⁺¹/(n!·(2n+1)), by Horner in x², because there is no float64 kernel. */
function erf(e: Emitter, x: string): string {
  if (e.dialect.float === 'float32') return e.node('Erf', [x])[0]!
  const coefficients = [2 / Math.sqrt(Math.PI)]
  let factor = coefficients[0]!
  for (let n = 1; n < TERMS; n++) coefficients.push((factor *= -1 / n) / (2 * n + 1))
  const [square] = e.node('Mul', [x, x])
  const sum = coefficients.reduceRight((rest, coefficient) => {
    const [raised] = e.node('Mul', [rest, square!])
    return e.node('Add', [raised!, e.scalar(coefficient)])[0]!
  }, e.scalar(0))
  return e.node('Mul', [x, sum])[0]!
}

/** y = erf x; dx = dY·2/√π·exp(−x²). */
export const Erf: Op = {
  name: 'Erf',
  infer: ([x]) => ({ outputs: [x as ValueType] }),
  emit: ({ e, inputs: [x] }) => ({ outputs: [erf(e, x!)] }),
  vjp: ({ g, inputs: [x], dY }) => [
    g.mul(dY, g.mul(g.exp(g.neg(g.mul(x!, x!))), g.scalar(2 / Math.sqrt(Math.PI)))),
  ],
}

/** GELU, y = x·Φ(x) with Φ(x) = (1 + erf(x/√2))/2; dx = dY·(Φ(x) + x·φ(x)), φ the normal density. */
export const Gelu: Op = {
  name: 'Gelu',
  isLight: true,
  infer: ([x]) => ({ outputs: [x as ValueType] }),
  emit: ({ e, inputs: [x] }) => {
    if (e.dialect.fused) return { outputs: e.contrib('Gelu', [x!]) }
    const [scaled] = e.node('Mul', [x!, e.scalar(ROOT_HALF)])
    const [raised] = e.node('Add', [erf(e, scaled!), e.scalar(1)])
    const [half] = e.node('Mul', [x!, e.scalar(0.5)])
    return { outputs: e.node('Mul', [half!, raised!]) }
  },
  vjp: ({ g, inputs: [x], dY }) => {
    const half = g.scalar(0.5)
    const share = g.mul(half, g.add(g.scalar(1), g.erf(g.mul(x!, g.scalar(ROOT_HALF)))))
    const density = g.mul(
      g.exp(g.neg(g.mul(half, g.mul(x!, x!)))),
      g.scalar(ROOT_HALF / Math.sqrt(Math.PI)),
    )
    return [g.mul(dY, g.add(share, g.mul(x!, density)))]
  },
}

/**
 * GELU by a hyperbolic tangent (Gemma, GPT-2), y = x/2·(1 + t) with t = tanh(√(2/π)·(x + 0.044715·x³));
 * dx = dY·((1 + t)/2 + x/2·(1 − t²)·√(2/π)·(1 + 3·0.044715·x²)).
 */
export const GeluTanh: Op = {
  name: 'GeluTanh',
  isLight: true,
  infer: ([x]) => ({ outputs: [x as ValueType] }),
  emit: ({ e, inputs: [x] }) => {
    if (e.dialect.fused) return { outputs: e.contrib('FastGelu', [x!]) }
    const [square] = e.node('Mul', [x!, x!])
    const [bent] = e.node('Mul', [square!, e.scalar(CUBIC)])
    const [grown] = e.node('Add', [bent!, e.scalar(1)])
    const [scaled] = e.node('Mul', [x!, e.scalar(ROOT_TWO_OVER_PI)])
    const [inner] = e.node('Mul', [scaled!, grown!])
    const [raised] = e.node('Add', [e.node('Tanh', [inner!])[0]!, e.scalar(1)])
    const [half] = e.node('Mul', [x!, e.scalar(0.5)])
    return { outputs: e.node('Mul', [half!, raised!]) }
  },
  vjp: ({ g, inputs: [x], dY }) => {
    const [one, half, root] = [g.scalar(1), g.scalar(0.5), g.scalar(ROOT_TWO_OVER_PI)]
    const square = g.mul(x!, x!)
    const inner = g.mul(g.mul(x!, root), g.add(one, g.mul(square, g.scalar(CUBIC))))
    const t = g.tanh(inner)
    const slope = g.mul(root, g.add(one, g.mul(square, g.scalar(3 * CUBIC))))
    const bend = g.mul(g.mul(half, x!), g.mul(g.sub(one, g.mul(t, t)), slope))
    return [g.mul(dY, g.add(g.mul(half, g.add(one, t)), bend))]
  },
}

/** x `[...]` → `[...]`. */
export const activations = (g: GraphCore) => {
  const one = (op: Op) => (x: Value) => g.apply(op, [x], undefined)[0]!
  return {
    relu: one(Relu),
    silu: one(Silu),
    erf: one(Erf),
    gelu: one(Gelu),
    geluTanh: one(GeluTanh),
  }
}
