/** @file Shapes with symbolic dimensions: broadcasting, products, and their values when the graph runs. */
import type { Dim, Shape } from './value.ts'

/** Wrong shapes are bugs of whoever builds a graph, so the message names the operator and what it was given. */
export class ShapeError extends Error {
  constructor(operator: string, ...shapes: readonly Shape[]) {
    super(`internal: ${operator} cannot take shapes ${shapes.map(formatShape).join(' and ')}`)
  }
}

export const formatShape = (shape: Shape): string => `[${shape.join(', ')}]`

export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((dim, i) => dim === b[i])

/** Product of dimensions, in one canonical form: number first, then symbols in alphabetical order. */
export function multiply(...dims: readonly Dim[]): Dim {
  let factor = 1
  const symbols: string[] = []
  for (const dim of dims) {
    for (const part of String(dim).split('*')) {
      if (/^\d+$/.test(part)) factor *= Number(part)
      else symbols.push(part)
    }
  }
  if (symbols.length === 0 || factor === 0) return factor
  return [...(factor === 1 ? [] : [String(factor)]), ...symbols.sort()].join('*')
}

/** NumPy's rule; a symbol broadcasts with 1 or with itself. */
export function broadcast(operator: string, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length)
  const padded = (s: Shape) => [...Array<Dim>(rank - s.length).fill(1), ...s]
  const left = padded(a)
  const right = padded(b)
  return left.map((dim, i) => {
    const other = right[i]!
    if (dim === other || other === 1) return dim
    if (dim === 1) return other
    throw new ShapeError(operator, a, b)
  })
}

/** Negative axes count from the end. */
export function normaliseAxis(operator: string, axis: number, shape: Shape): number {
  const positive = axis < 0 ? axis + shape.length : axis
  if (positive < 0 || positive >= shape.length)
    throw new ShapeError(`${operator}(axis ${axis})`, shape)
  return positive
}

export type Bindings = ReadonlyMap<string, number>

/** Reads the symbols' values off tensors that are fed; two tensors that disagree are a bug of the caller. */
export function bindSymbols(
  fed: Iterable<{ name: string; declared: Shape; actual: readonly number[] }>,
): Bindings {
  const bindings = new Map<string, number>()
  for (const { name, declared, actual } of fed) {
    if (declared.length !== actual.length) throw new ShapeError(`input ${name}`, declared, actual)
    declared.forEach((dim, i) => {
      const value = actual[i]!
      const known = typeof dim === 'number' ? dim : bindings.get(dim)
      if (known !== undefined && known !== value)
        throw new ShapeError(`input ${name}`, declared, actual)
      if (typeof dim === 'string' && !dim.includes('*')) bindings.set(dim, value)
    })
  }
  return bindings
}

export function evaluate(dim: Dim, bindings: Bindings): number {
  if (typeof dim === 'number') return dim
  return dim.split('*').reduce((product, part) => {
    const value = /^\d+$/.test(part) ? Number(part) : bindings.get(part)
    if (value === undefined) throw new Error(`internal: no input carries the dimension "${part}"`)
    return product * value
  }, 1)
}
