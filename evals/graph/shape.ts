/** @file Shapes with symbolic dimensions: broadcasting, products, pieces. runtime/bindings.ts evaluates them at run time. */
import type { Dim, Shape } from './value.ts'

/** A graph was built with wrong shapes, which is a bug; the message names the operator and its shapes. */
export class ShapeError extends Error {
  constructor(operator: string, ...shapes: readonly Shape[]) {
    super(`internal: ${operator} cannot take shapes ${shapes.map(formatShape).join(' and ')}`)
  }
}

export const formatShape = (shape: Shape): string => `[${shape.join(', ')}]`

export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((dim, i) => dim === b[i])

/** Product of dimensions in canonical form: the number first, then the symbols in alphabetical order. */
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

/** Size of the pieces `from` … `to` when `dim` is cut into `count`: ⌊dim·to/count⌋ − ⌊dim·from/count⌋, a number or `seq[1-2/8]`. */
export function pieceOf(dim: Dim, from: number, to: number, count: number): Dim {
  if (to === from) return 0
  if (from === 0 && to === count) return dim
  if (typeof dim === 'number')
    return Math.floor((dim * to) / count) - Math.floor((dim * from) / count)
  if (dim.includes('*')) throw new ShapeError('a piece', [dim])
  return `${dim}[${from}-${to}/${count}]`
}

/** NumPy broadcasting; a symbol broadcasts with 1 or with itself. */
export function broadcast(operator: string, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length)
  const padded = (s: Shape) => [...Array<Dim>(rank - s.length).fill(1), ...s]
  const [left, right] = [padded(a), padded(b)]
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
