/** @file The weights of a GGUF model by Hugging Face's names: shapes, places and layout conversions. */
import { TouchstoneError } from '../../../errors/touchstone-error.ts'
import type { StoredWeight } from '../../weights/storage.ts'
import { malformed, type JsonObject } from '../../../files/read-file.ts'
import type { GgufFamily } from './family.ts'
import type { GgufLayout } from './layouts.ts'
import { hfName } from './names.ts'

export interface GgufWeight {
  /** With Hugging Face's name and shape. */
  readonly weight: StoredWeight
  /** Shape in the file, rows first. */
  readonly shape: readonly number[]
  readonly layout: GgufLayout | undefined
}

interface GgufWeights {
  readonly weights: ReadonlyMap<string, GgufWeight>
  /** By ggml's names. */
  readonly extras: readonly StoredWeight[]
}

const MOST_EXPERTS = 1024

/** @param stored by ggml's names; a name that is not in the family's table is refused, since the weight would be ignored */
export function namedWeights(
  path: string,
  family: GgufFamily,
  stored: readonly StoredWeight[],
): GgufWeights {
  const weights = new Map<string, GgufWeight>()
  const extras: StoredWeight[] = []
  for (const each of stored) {
    if (family.names.extras?.includes(each.name)) {
      if (extras.some(({ name }) => name === each.name))
        throw malformed(path, `"${each.name}" twice`, 'each weight once')
      extras.push(each)
      continue
    }
    for (const named of underItsNames(path, family, each)) {
      const { name } = named.weight
      if (weights.has(name)) throw malformed(path, `"${each.name}" twice`, 'each weight once')
      weights.set(name, named)
    }
  }
  return { weights, extras }
}

function underItsNames(path: string, family: GgufFamily, stored: StoredWeight): GgufWeight[] {
  const found = hfName(family.names, stored.name)
  if (!found) {
    throw new TouchstoneError('checkpoint.unsupported', {
      path,
      what: 'the weight',
      found: stored.name.slice(0, 100),
      supported: `the weights of ${family.modelType} as llama.cpp names them`,
    })
  }
  const { name, module, isStacked } = found
  const layout = family.layouts?.[module]
  if (!isStacked) {
    const shape = layout?.shape?.(stored.shape) ?? stored.shape
    const turned = layout?.shape && shape.length === 2 ? { turned: true as const } : {}
    return [{ weight: { ...stored, name, shape, ...turned }, shape: stored.shape, layout }]
  }
  const [experts = 0, ...shape] = stored.shape
  if (experts > MOST_EXPERTS) {
    throw new TouchstoneError('checkpoint.unsupported', {
      path,
      what: `experts in ${stored.name}:`,
      found: String(experts),
      supported: `at most ${MOST_EXPERTS}`,
    })
  }
  const bytes = stored.bytes / experts
  // Blocks lie along rows, so each expert is a whole number of bytes.
  return Array.from({ length: experts }, (_, expert) => ({
    weight: {
      ...stored,
      shape,
      bytes,
      offset: stored.offset + expert * bytes,
      name: name.replace('*', String(expert)),
    },
    shape,
    layout,
  }))
}

/** Row counts that reordering depends on, checked before any weight is read. */
export function checkRows(path: string, weights: GgufWeights['weights'], config: JsonObject): void {
  for (const { weight, shape, layout } of weights.values()) {
    const rows = layout?.rows?.(config)
    if (rows === undefined || rows === shape[0]) continue
    throw malformed(path, `${shape[0]} rows in "${weight.name}"`, `${rows} rows`)
  }
}
