/** @file Values of symbolic dimensions at run time. */
import { pieceOf, ShapeError } from '../graph/shape.ts'
import type { Dim, Shape } from '../graph/value.ts'

type Bindings = ReadonlyMap<string, number>

/** Reads the symbols' values from fed tensors. Throws where two tensors disagree, which is a bug of the caller. */
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

/** A product of numbers, symbols and pieces of symbols (`pieceOf`). */
export function evaluate(dim: Dim, bindings: Bindings): number {
  if (typeof dim === 'number') return dim
  return dim.split('*').reduce((product, part) => product * factorOf(part, bindings), 1)
}

const PIECE = /^(.+)\[(\d+)-(\d+)\/(\d+)\]$/u

function factorOf(part: string, bindings: Bindings): number {
  const [, whole, ...cuts] = PIECE.exec(part) ?? []
  if (whole !== undefined) {
    const [from, to, count] = cuts.map(Number) as [number, number, number]
    const size = pieceOf(factorOf(whole, bindings), from, to, count) as number
    // ONNX Runtime pads an empty tensor with uninitialised memory, without an error.
    if (size === 0) throw new Error(`internal: a piece is empty, ${part}`)
    return size
  }
  const value = /^\d+$/.test(part) ? Number(part) : bindings.get(part)
  if (value === undefined) throw new Error(`internal: no input carries the dimension "${part}"`)
  return value
}
