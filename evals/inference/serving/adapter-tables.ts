/** @file The adapters of a batch where the addon reads them in the pool's cells: where they lie, and which row uses which. */
import type { Graph } from '../../graph/ops/index.ts'
import type { Value } from '../../graph/value.ts'
import type { CacheLayer, KeyValue } from '../../models/architecture.ts'
import type { Adapter, LinearSite } from '../../models/scope.ts'
import type { Tensor } from '../../runtime/tensor.ts'
import { int32 } from '../feeds.ts'
import type { AdapterFeeds, AdapterPlaces, Kind } from './adapter-slots.ts'
import { widthOf } from './pool.ts'

/** int32 `[adapters, cells of one]`. */
const cellsName = (stack: string) => `${stack}.cells`
/** int32 `[batch]`: each row's adapter among those, -1 for none. */
const rowsName = (stack: string) => `${stack}.adapters`

export const createAdapterTables = (
  kinds: readonly Kind[],
  { cellsOf, kindOfName }: AdapterPlaces,
): AdapterFeeds => ({
  feeds(rows) {
    const feeds: Record<string, Tensor> = {}
    for (const kind of kinds) {
      const own = rows.map((name) =>
        name !== undefined && kindOfName(name) === kind ? name : undefined,
      )
      const used = [...new Set(own.filter((name) => name !== undefined))]
      // An empty table would be no tensor.
      const table = new Int32Array(Math.max(1, used.length) * kind.cells)
      used.forEach((name, k) => table.set(cellsOf(name), k * kind.cells))
      feeds[cellsName(kind.stack)] = int32(table, [table.length / kind.cells, kind.cells])
      feeds[rowsName(kind.stack)] = int32(
        own.map((name) => (name === undefined ? -1 : used.indexOf(name))),
      )
    }
    return feeds
  },
})

/** Adds x·A·B of each row's own adapter. `past`: the buffers of the pool by layer. */
export function adapterInCells(
  g: Graph,
  { name, weight }: LinearSite,
  kinds: readonly Kind[],
  cache: readonly CacheLayer[],
  past: readonly KeyValue[],
): Adapter | undefined {
  const pieces = kinds.flatMap(({ stack, cells, pieces: all }) => {
    const piece = all.find((each) => each.weight === `${name}.weight`)
    return piece ? [{ ...piece, stack, cells }] : []
  })
  if (pieces.length === 0) return undefined
  return {
    forward: (x) =>
      pieces.reduce(
        (y, { layer, rank, offset, stack, cells }) => {
          const { keys, values } = past[layer]!
          const table = input(g, cellsName(stack), [`adapters of ${stack}`, cells])
          return g.addLowRank([y, x, keys, values, table, input(g, rowsName(stack), ['batch'])], {
            ...{ rank, width: widthOf(cache[layer]!) },
            ...{ firstA: offset.keys, firstB: offset.values },
          })
        },
        g.matMulT(x, weight),
      ),
    weight() {
      throw new Error('internal: several adapters have no weight in common')
    },
  }
}

const input = (g: Graph, name: string, shape: Value['shape']): Value =>
  g.inputs.find((value) => value.name === name) ?? g.input(name, 'int32', shape)
