/** @file Constant folding: computes a node whose inputs are all known. */
import { CASTS, fillingOf } from './operators.ts'
import { isKnown, type Item, type NodeContext } from './item.ts'
import { alone, choose, combine, known, MOST_KNOWN, sizeOf, type Known } from './known.ts'
import { stretched } from './movement.ts'

/** Returns undefined if a node is needed after all. */
export function fold({ node, inputs, number }: NodeContext): readonly Item[] | undefined {
  const all = inputs.filter((item) => item !== undefined)
  if (all.length === 0 || !all.every((item) => isKnown(item) && sizeOf(item.dims) <= MOST_KNOWN))
    return undefined
  const [a, b, c] = all as Known[]
  const one = (item: Known | undefined) => item && [item]
  switch (node.opType) {
    case 'Identity':
      return [a!]
    case 'Cast': {
      const to = CASTS[number('to', 0)]
      return to === undefined ? undefined : [{ ...a!, dtype: to === 'float' ? 'float32' : to }]
    }
    case 'Where':
      return one(choose(a!, b!, c!))
    case 'Expand':
      return one(stretched(a!, b!.entries))
    case 'ConstantOfShape': {
      const filling = fillingOf(node)
      return one(filling && stretched(known(filling.dtype, [], [filling.value]), a!.entries))
    }
    case 'Range':
      return one(counted(a!, b!, c!))
    default:
      return one(b ? joined(node.opType, all as Known[]) : alone(node.opType, a!))
  }
}

/** Max and Min take any number of tensors. */
const joined = (opType: string, all: readonly Known[]): Known | undefined =>
  all.slice(1).reduce<Known | undefined>((x, y) => x && combine(opType, x, y), all[0])

function counted(start: Known, limit: Known, delta: Known): Known | undefined {
  const [from, to, by] = [start, limit, delta].map(({ entries }) => entries[0])
  if (typeof from !== 'number' || typeof to !== 'number' || typeof by !== 'number') return undefined
  const count = Math.max(0, Math.ceil((to - from) / by))
  if (!(count <= MOST_KNOWN)) return undefined
  return known(
    start.dtype,
    [count],
    Array.from({ length: count }, (_, i) => from + i * by),
  )
}
