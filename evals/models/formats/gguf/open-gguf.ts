/** @file Opens a GGUF model in place, with Hugging Face's names, shapes, row order and configuration. */
import { dirname } from 'node:path'
import type { Checkpoint } from '../../checkpoint.ts'
import type { StorageType, StoredWeight } from '../../weights/storage.ts'
import { TouchstoneError } from '../../../errors/touchstone-error.ts'
import { STORAGE_FORMATS } from '../../weights/dequantise.ts'
import { malformed, type JsonObject } from '../../../files/read-file.ts'
import { ggufConfig } from './config.ts'
import type { GgufHeader, GgufTensor } from './header.ts'
import { ggufFamilyOf } from '../../registry.ts'
import type { GgufPart, GgufParts } from './split.ts'
import { checkRows, namedWeights, type GgufWeight } from './weights.ts'
import { findWeight } from '../hf-folder.ts'
import {
  digestFiles,
  elementsOf,
  openFiles,
  mappedBytes,
  placeOf,
  readStored,
  storedBytes,
  storedRows,
  type OpenFiles,
} from '../../weights/stored-weights.ts'

const STORAGE_TYPES = Object.keys(STORAGE_FORMATS) as StorageType[]
/** Names of ggml's types that cannot be decoded, for the error message. */
const UNSUPPORTED: Readonly<Record<number, string>> = {
  9: 'Q8_1',
  15: 'Q8_K',
  16: 'IQ2_XXS',
  17: 'IQ2_XS',
  18: 'IQ3_XXS',
  19: 'IQ1_S',
  21: 'IQ3_S',
  22: 'IQ2_S',
  29: 'IQ1_M',
  34: 'TQ1_0',
  35: 'TQ2_0',
  39: 'MXFP4',
}

/** @param model all files of the model at `path` */
export async function openGguf(path: string, model: GgufParts): Promise<Checkpoint> {
  const { metadata, parts } = model
  const family = ggufFamilyOf(path, metadata)
  const found = namedWeights(path, family, parts.flatMap(placesIn))
  const weights = new Map([...found.weights].map(([name, { weight }]) => [name, weight]))
  const paths = parts.map((part) => part.path)
  const files = await openFiles(paths)
  try {
    const extras = new Map<string, Float32Array>()
    for (const extra of found.extras) extras.set(extra.name, readStored(files, extra))
    const config = ggufConfig(path, family, metadata, { weights, extras })
    checkRows(path, found.weights, config)
    let digest: Promise<string> | undefined
    return {
      path,
      format: 'gguf',
      config,
      weights,
      read(name) {
        const values = readStored(files, findWeight(path, weights, name))
        const { layout, shape } = found.weights.get(name)!
        return layout ? layout.read(values, shape, config) : values
      },
      place: (name) =>
        found.weights.get(name)?.layout
          ? undefined
          : placeOf(files, findWeight(path, weights, name)),
      blocks: (name) => blocksIn(files, found.weights.get(name)!, config),
      digest: () => (digest ??= digestFiles(dirname(paths[0]!), paths, files)),
      close: () => files.close(),
    }
  } catch (error) {
    await files.close()
    throw error
  }
}

function blocksIn(files: OpenFiles, { weight, shape, layout }: GgufWeight, config: JsonObject) {
  if (!layout) return mappedBytes(files, weight) ?? storedRows(files, weight)
  // Moved rows are a copy, so the file's own need not be mapped.
  return layout.bytes?.(storedRows(files, weight), shape, config)
}

function placesIn({ path, header }: GgufPart): readonly StoredWeight[] {
  const stored = header.tensors.map((tensor) => place(path, header, tensor))
  checkCoverage(path, header, stored)
  return stored
}

/** Location of a tensor, with its shape rows first. */
function place(path: string, header: GgufHeader, tensor: GgufTensor): StoredWeight {
  const { name, dimensions, type } = tensor
  const storage = STORAGE_TYPES.find((each) => STORAGE_FORMATS[each].ggml === type)
  if (!storage) {
    throw new TouchstoneError('checkpoint.unsupported', {
      path,
      what: `for "${name}" the storage type`,
      found: UNSUPPORTED[type] ?? `number ${type}`,
      supported: STORAGE_TYPES.join(', '),
    })
  }
  const { elementsPerBlock } = STORAGE_FORMATS[storage]
  const elements = elementsOf(dimensions)
  if (dimensions.length === 0 || !Number.isSafeInteger(elements) || elements === 0) {
    throw malformed(path, `the shape [${dimensions.join(', ')}] for "${name}"`, 'a shape')
  }
  if (dimensions[0]! % elementsPerBlock !== 0) {
    throw malformed(path, `rows of ${dimensions[0]} in "${name}"`, `blocks of ${elementsPerBlock}`)
  }
  if (tensor.offset % header.alignment !== 0) {
    throw malformed(path, `"${name}" at ${tensor.offset}`, `multiples of ${header.alignment}`)
  }
  return {
    name,
    shape: [...dimensions].reverse(),
    storage,
    file: path,
    offset: header.dataStart + tensor.offset,
    bytes: storedBytes(dimensions, storage),
  }
}

/** Tensors are contiguous up to alignment padding. */
function checkCoverage(path: string, header: GgufHeader, stored: readonly StoredWeight[]): void {
  let end = header.dataStart
  for (const { name, offset, bytes } of [...stored].sort((a, b) => a.offset - b.offset)) {
    if (offset < end) throw malformed(path, `"${name}" overlapping another`, 'no overlaps')
    if (offset - end >= header.alignment) throw malformed(path, `a hole before "${name}"`, 'none')
    end = offset + bytes
  }
  if (end > header.size) {
    throw malformed(path, `${header.size} bytes in the file`, `at least ${end}: it was cut short`)
  }
  if (header.size - end >= header.alignment) {
    throw malformed(path, `${header.size - end} bytes after the last weight`, 'only padding')
  }
}
