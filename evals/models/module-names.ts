/** @file Module names of linear layers in blocks, for spectra, target modules and adapters. */

/** `bert.encoder.layer.0.output.dense` → block and path inside it; the first number is the block's. */
const IN_BLOCK = /^(?<block>.*?\.\d+)\.(?<path>.+)$/u

/**
 * Layer name → module: the last name, as in `q_proj`. If a block has that twice (GPT-2's c_proj, BERT's dense), the path
 * inside the block, which is unique there.
 */
export function moduleNames(layers: readonly string[]): ReadonlyMap<string, string> {
  const placed = layers.map((name) => {
    const { block = '', path = name } = IN_BLOCK.exec(name)?.groups ?? {}
    return { name, path, last: path.slice(path.lastIndexOf('.') + 1), block }
  })
  const counts = Map.groupBy(placed, ({ block, last }) => `${block} ${last}`)
  const repeated = new Set(
    [...counts.values()].flatMap((same) => (same.length > 1 ? [same[0]!.last] : [])),
  )
  return new Map(
    placed.map(({ name, path, last }) => [name, repeated.has(last) ? path : last] as const),
  )
}
