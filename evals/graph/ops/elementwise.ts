/** @file Elementwise operators with broadcasting. */
import type { GraphCore } from '../builder.ts'
import type { Attributes, Op } from '../op.ts'
import { broadcast } from '../shape.ts'
import type { Dtype, Value, ValueType } from '../value.ts'

const binary = (opType: string, vjp: Op['vjp'], result?: Dtype): Op => ({
  name: opType,
  infer: ([a, b]) => ({
    outputs: [{ dtype: result ?? a!.dtype, shape: broadcast(opType, a!.shape, b!.shape) }],
  }),
  emit: ({ e, inputs }) => ({ outputs: e.node(opType, inputs) }),
  vjp,
})

const unary = (opType: string, vjp: Op['vjp']): Op => ({
  name: opType,
  infer: ([x]) => ({ outputs: [{ dtype: x!.dtype, shape: x!.shape }] }),
  emit: ({ e, inputs }) => ({ outputs: e.node(opType, inputs) }),
  vjp,
})

export const Add = binary('Add', ({ dY }) => [dY, dY])
export const Sub = binary('Sub', ({ g, dY }) => [dY, g.neg(dY)])
/** (ab)′ = a′b + ab′ */
export const Mul = binary('Mul', ({ g, inputs: [a, b], dY }) => [g.mul(dY, b!), g.mul(dY, a!)])
/** Y = a/b; da = dY/b, db = −dY·Y/b */
export const Div = binary('Div', ({ g, inputs: [, b], outputs: [y], dY }) => [
  g.div(dY, b!),
  g.neg(g.div(g.mul(dY, y!), b!)),
])
/** The product a·b of a gate. */
export const Gated: Op = { ...Mul, name: 'Gated', isLight: true }
export const GreaterOrEqual = binary('GreaterOrEqual', 'none', 'bool')
export const Equal = binary('Equal', 'none', 'bool')
export const And = binary('And', 'none', 'bool')

export const Neg = unary('Neg', ({ g, dY }) => [g.neg(dY)])
export const Exp = unary('Exp', ({ g, outputs: [y], dY }) => [g.mul(dY, y!)])
export const Log = unary('Log', ({ g, inputs: [x], dY }) => [g.div(dY, x!)])
export const Sin = unary('Sin', ({ g, inputs: [x], dY }) => [g.mul(dY, g.cos(x!))])
export const Cos = unary('Cos', ({ g, inputs: [x], dY }) => [g.neg(g.mul(dY, g.sin(x!)))])
/** y = √x; dx = dY/(2y) */
export const Sqrt = unary('Sqrt', ({ g, outputs: [y], dY }) => [g.div(dY, g.mul(y!, g.scalar(2)))])
/** y = tanh x; dx = dY(1 − y²) */
export const Tanh = unary('Tanh', ({ g, outputs: [y], dY }) => [
  g.mul(dY, g.sub(g.scalar(1), g.mul(y!, y!))),
])
/** y = σ(x); dx = dY·y(1 − y) */
export const Sigmoid = unary('Sigmoid', ({ g, outputs: [y], dY }) => [
  g.mul(dY, g.mul(y!, g.sub(g.scalar(1), y!))),
])

/** `condition ? a : b`; the condition carries no gradient. */
export const Where: Op = {
  name: 'Where',
  infer: ([condition, a, b]) => ({
    outputs: [
      {
        dtype: a!.dtype,
        shape: broadcast('Where', broadcast('Where', condition!.shape, a!.shape), b!.shape),
      },
    ],
  }),
  emit: ({ e, inputs }) => ({ outputs: e.node('Where', inputs) }),
  vjp: ({ g, inputs: [condition], dY }) => [
    undefined,
    g.where(condition!, dY, g.scalar(0)),
    g.where(condition!, g.scalar(0), dY),
  ],
}

export const Cast: Op<Dtype> = {
  name: 'Cast',
  infer: ([x], dtype) => ({ outputs: [{ dtype, shape: x!.shape }] }),
  emit: ({ e, inputs, attributes }) => ({
    outputs: e.node('Cast', inputs, { to: { type: attributes } } satisfies Attributes),
  }),
  vjp: ({ g, inputs: [x], dY }) => [x!.dtype.includes('float') ? g.cast(dY, x!.dtype) : undefined],
}

/** y = x without a gradient: x is constant to the loss. */
export const ConstantOf: Op = {
  name: 'ConstantOf',
  infer: ([x]) => ({ outputs: [x as ValueType] }),
  emit: ({ e, inputs }) => ({ outputs: e.node('Identity', inputs) }),
  vjp: 'none',
}

/** `[...]`, `[...]` → their broadcast. */
export const elementwise = (g: GraphCore) => {
  const two = (op: Op) => (a: Value, b: Value) => g.apply(op, [a, b], undefined)[0]!
  const one = (op: Op) => (x: Value) => g.apply(op, [x], undefined)[0]!
  return {
    scalar: (value: number) => g.constant([value], g.float, []),
    add: two(Add),
    sub: two(Sub),
    mul: two(Mul),
    gated: two(Gated),
    div: two(Div),
    greaterOrEqual: two(GreaterOrEqual),
    equal: two(Equal),
    and: two(And),
    neg: one(Neg),
    exp: one(Exp),
    log: one(Log),
    sin: one(Sin),
    cos: one(Cos),
    sqrt: one(Sqrt),
    tanh: one(Tanh),
    sigmoid: one(Sigmoid),
    constantOf: one(ConstantOf),
    where: (condition: Value, a: Value, b: Value) =>
      g.apply(Where, [condition, a, b], undefined)[0]!,
    cast: (x: Value, dtype: Dtype) => g.apply(Cast, [x], dtype)[0]!,
  }
}
