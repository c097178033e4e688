/** @file Maps weight names between ggml and Hugging Face, by a family's table. */

export interface GgufNames {
  /** Prefix of Hugging Face's block names. */
  readonly layers: string
  /** ggml module → Hugging Face module, outside the blocks and inside them. */
  readonly outside: Readonly<Record<string, string>>
  readonly inside: Readonly<Record<string, string>>
  /** ggml modules that stack the experts of a block; `*` stands for the expert's number. */
  readonly experts?: Readonly<Record<string, string>>
  /** Tensors that hold settings. */
  readonly extras?: readonly string[]
}

interface FoundName {
  /** ggml's module name. */
  readonly module: string
  /** Hugging Face's weight name; with `*` for stacked experts. */
  readonly name: string
  readonly isStacked: boolean
}

/** Undefined for a name that is not in the table. */
export function hfName(names: GgufNames, stored: string): FoundName | undefined {
  const [, outer = '', ending] = /^(\w+)\.(weight|bias)$/u.exec(stored) ?? []
  const outside = own(names.outside, outer)
  if (outside !== undefined) {
    return { module: outer, name: `${outside}.${ending}`, isStacked: false }
  }
  const inBlock =
    /^blk\.(?<layer>\d{1,4})\.(?<module>\w+?)(?:\.(?<expert>\d{1,4}))?\.(?<kind>weight|bias)$/u
  const { layer, module = '', expert, kind } = inBlock.exec(stored)?.groups ?? {}
  const at = (inside: string) => `${names.layers}.${Number(layer)}.${inside}.${kind}`
  const inside = own(names.inside, module)
  if (inside !== undefined && expert === undefined) {
    return { module, name: at(inside), isStacked: false }
  }
  // Older files have one tensor per expert: `blk.0.ffn_gate.3.weight`.
  const experts = own(names.experts, expert === undefined ? module : `${module}_exps`)
  if (experts === undefined) return undefined
  if (expert === undefined) return { module, name: at(experts), isStacked: true }
  return { module, name: at(experts.replace('*', expert)), isStacked: false }
}

interface StoredName {
  readonly module: string
  readonly stored: string
  /** Index in the stacked tensor. */
  readonly expert?: number
}

/** Undefined for a weight that the table does not name. */
export function ggufName(names: GgufNames, name: string): StoredName | undefined {
  const [, path = '', kind] = /^(.+)\.(weight|bias)$/u.exec(name) ?? []
  const outer = keyOf(names.outside, path)
  if (outer !== undefined) return { module: outer, stored: `${outer}.${kind}` }
  if (!path.startsWith(`${names.layers}.`)) return undefined
  const [, layer, inner = ''] = /^(\d+)\.(.+)$/u.exec(path.slice(names.layers.length + 1)) ?? []
  const module = keyOf(names.inside, inner)
  if (module !== undefined) return { module, stored: `blk.${layer}.${module}.${kind}` }
  const expert = /\.(\d+)\./u.exec(inner)?.[1]
  const stacked = keyOf(names.experts ?? {}, inner.replace(/\.\d+\./u, '.*.'))
  if (stacked === undefined) return undefined
  return { module: stacked, stored: `blk.${layer}.${stacked}.${kind}`, expert: Number(expert) }
}

const own = (table: Readonly<Record<string, string>> | undefined, key: string) =>
  table && Object.hasOwn(table, key) ? table[key] : undefined
const keyOf = (table: Readonly<Record<string, string>>, value: string) =>
  Object.keys(table).find((key) => table[key] === value)
