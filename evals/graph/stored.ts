/**
 * @file Frozen weights that are kept smaller than they are computed with: int8 with a scale a row, W = scale·q, or float16.
 * Every node that reads one gets a copy of its own in the dialect's float, made just before it and let go after, so forward and
 * backward see the same W and neither holds it. Of a table whose rows are gathered only those rows are made.
 */
import type { Attributes, Dialect } from './op.ts'

export type WeightStorage = 'int8' | 'float16'

/** Float32 `[rows]`, beside the int8 weight `[rows, columns]` of that name. */
export const scaleName = (weight: string): string => `${weight}:scale`

type AddNode = (
  opType: string,
  inputs: readonly string[],
  attributes?: Attributes,
  outputs?: number,
) => string[]

function widened(
  add: AddNode,
  float: Dialect['float'],
  [name, storage]: readonly [string, WeightStorage],
  rows?: string,
): string {
  const taken = (x: string) => (rows === undefined ? x : add('Gather', [x, rows], { axis: 0 })[0]!)
  const cast = (x: string) => add('Cast', [x], { to: { type: float } })[0]!
  if (storage === 'float16') return cast(taken(name))
  const [wide] = add('DequantizeLinear', [taken(name), taken(scaleName(name))], { axis: 0 })
  return float === 'float32' ? wide! : cast(wide!)
}

/** `addNode` for nodes that may read stored weights by their names. */
export const readingStored =
  (
    addNode: AddNode,
    plain: AddNode,
    float: Dialect['float'],
    stored: ReadonlyMap<string, WeightStorage>,
  ): AddNode =>
  (opType, inputs, attributes = {}, outputs = 1) => {
    const [table, rows] = inputs
    const storage = stored.get(table!)
    if (storage && opType === 'Gather' && (attributes.axis ?? 0) === 0)
      return [widened(plain, float, [table!, storage], rows)]
    const read = inputs.map((name) => {
      const own = stored.get(name)
      return own ? widened(plain, float, [name, own]) : name
    })
    return addNode(opType, read, attributes, outputs)
  }
