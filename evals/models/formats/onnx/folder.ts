/**
 * @file Opens a folder with an ONNX graph in place, as written by Optimum, by ONNX Runtime GenAI's builder or by this
 * project.
 */
import { realpath } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import { z } from 'zod'
import {
  readGraphFile,
  SIZES,
  type FileTensor,
  type GraphFile,
} from '../../../graph/import/graph-file.ts'
import type { Dtype } from '../../../graph/value.ts'
import type { Checkpoint } from '../../checkpoint.ts'
import type { FloatStorage, StoredWeight, WeightIndex } from '../../weights/storage.ts'
import type { JsonObject, OpenFile } from '../../../files/read-file.ts'
import {
  exists,
  notReadable,
  fileSize,
  malformed,
  MEBIBYTE,
  openForReading,
  readExactly,
  readJson,
} from '../../../files/read-file.ts'
import { GENAI_CONFIG } from './genai-config.ts'
import { findWeight } from '../hf-folder.ts'
import { matricesOf, weightsOf, type NamedWeight } from './names.ts'
import { OPTIMUM, portsOf, type PortNames } from './io.ts'
import { digestFiles, elementsOf, openFiles, readStored } from '../../weights/stored-weights.ts'

/** protobuf's limit. */
const FILE_LIMIT = 2048 * MEBIBYTE
const NAMES = ['model.onnx', 'onnx/model.onnx'] as const

/** Path of the folder's graph, if it has one. */
export async function graphIn(folder: string): Promise<string | undefined> {
  const said = await readGenai(folder)
  if (said) return join(folder, said.model.decoder.filename)
  for (const name of NAMES) if (await exists(join(folder, name))) return join(folder, name)
  return undefined
}

export async function openOnnx(folder: string, path: string): Promise<Checkpoint> {
  const genai = await readGenai(folder)
  const parsed = readGraphFile(path, await readWhole(path))
  const ports = portsOf(parsed, genai ? namesOf(genai) : OPTIMUM)
  const matrixOf = matricesOf(parsed)
  const named = weightsOf(parsed, matrixOf, ports.logits)
  const sizes = await requirePlaces(path, parsed)
  const index = indexOf(path, named)
  const paths = [...sizes.keys(), ...(await thoseThere(folder, ['config.json', GENAI_CONFIG]))]
  const files = await openFiles(paths)
  try {
    const file = await withConstants(parsed, named, files)
    const config = await configOf(folder, genai)
    const maxPositions = maxPositionsOf(config)
    const weights = named.filter(({ spec }) => index.has(spec.name))
    let digest: Promise<string> | undefined
    return {
      path: folder,
      format: 'onnx',
      config,
      weights: index,
      graph: { path, file, ports, weights, matrixOf, maxPositions, bytes: () => readWhole(path) },
      read: (name) => readStored(files, findWeight(folder, index, name)),
      // The checkpoint's own graph runs as it is.
      place: () => undefined,
      digest: () => (digest ??= digestFiles(folder, paths, files)),
      close: () => files.close(),
    }
  } catch (error) {
    await files.close()
    throw error
  }
}

async function thoseThere(folder: string, names: readonly string[]): Promise<string[]> {
  const paths = names.map((name) => join(folder, name))
  const there = await Promise.all(paths.map(exists))
  return paths.filter((_, i) => there[i])
}

async function readWhole(path: string): Promise<Uint8Array> {
  const size = await fileSize(path)
  if (size === 0) throw malformed(path, 'an empty file', 'an ONNX model')
  if (size > FILE_LIMIT)
    throw notReadable(path, `it has ${size} bytes, and a protobuf at most ${FILE_LIMIT}`)
  const bytes = new Uint8Array(size)
  const file = await openForReading(path)
  try {
    await readExactly(file, path, bytes, 0)
  } finally {
    await file.close()
  }
  return bytes
}

/**
 * The files that hold tensors, with their sizes. They must be inside the folder and long enough, and tensors must not
 * overlap.
 */
async function requirePlaces(path: string, graph: GraphFile): Promise<Map<string, number>> {
  const sizes = new Map([[path, await fileSize(path)]])
  const folder = await realpath(dirname(path))
  for (const { name, place } of graph.initialisers.values()) {
    if (place.kind === 'inside') continue
    const file = join(dirname(path), place.location)
    if (sizes.has(file)) continue
    sizes.set(file, await fileSize(file))
    if (!(await realpath(file)).startsWith(folder + sep))
      throw malformed(path, `"${name}" behind a link out of the folder`, 'a file in the folder')
  }
  for (const [file, own] of Map.groupBy(graph.initialisers.values(), ({ place }) =>
    place.kind === 'outside' ? join(dirname(path), place.location) : path,
  ))
    requireApart(file, own, sizes.get(file)!)
  return sizes
}

/** Two names may share the same bytes, but not a part of them. */
function requireApart(file: string, tensors: readonly FileTensor[], size: number): void {
  const spans = tensors
    .flatMap((tensor) => {
      if (tensor.place.kind === 'inside') return []
      const { offset } = tensor.place
      return [{ name: tensor.name, offset, end: offset + lengthOf(file, tensor, size) }]
    })
    .sort((a, b) => a.offset - b.offset || a.end - b.end)
  for (const [i, { name, offset, end }] of spans.entries()) {
    if (end > size) throw malformed(file, `${size} bytes in the file`, `${end} bytes for "${name}"`)
    const before = spans[i - 1]
    if (!before || offset >= before.end) continue
    if (offset !== before.offset || end !== before.end)
      throw malformed(file, `"${name}" overlapping "${before.name}"`, 'no overlaps')
  }
}

/** Bytes of an external tensor; a declared length must match the shape. */
function lengthOf(file: string, { name, dtype, dims, place }: FileTensor, size: number): number {
  const said = place.kind === 'outside' ? place.bytes : null
  const needed = dtype && elementsOf(dims) * SIZES[dtype]
  if (needed === undefined) return said ?? size - (place.kind === 'outside' ? place.offset : 0)
  if (said !== null && said !== needed)
    throw malformed(file, `${said} bytes for "${name}"`, `${needed} for [${dims.join(', ')}]`)
  return needed
}

const STORAGE: Partial<Record<Dtype, FloatStorage>> = {
  float32: 'F32',
  float64: 'F64',
  float16: 'F16',
  bfloat16: 'BF16',
}

const indexOf = (path: string, named: readonly NamedWeight[]): WeightIndex =>
  new Map(
    named.flatMap(({ spec, initialiser }) => {
      const stored = storedAt(path, spec.name, initialiser)
      return stored ? [[spec.name, stored]] : []
    }),
  )

/** Undefined for a tensor stored as numbers inside the graph. */
function storedAt(path: string, name: string, tensor: FileTensor): StoredWeight | undefined {
  const { dtype, dims, place } = tensor
  const storage = STORAGE[dtype!]!
  const bytes = elementsOf(dims) * SIZES[dtype!]
  const common = { name, shape: dims, storage, bytes }
  if (place.kind === 'outside')
    return { ...common, file: join(dirname(path), place.location), offset: place.offset }
  return place.offset === null ? undefined : { ...common, file: path, offset: place.offset }
}

/** Far more than tables of angles and the like need. */
const CONSTANTS_LIMIT = 512 * MEBIBYTE

/** The graph with every tensor that is not a weight read into it. */
async function withConstants(
  graph: GraphFile,
  named: readonly NamedWeight[],
  files: { file(path: string): OpenFile },
): Promise<GraphFile> {
  const weights = new Set(named.map(({ initialiser }) => initialiser.name))
  const initialisers = new Map(graph.initialisers)
  let room = CONSTANTS_LIMIT
  for (const [name, { dtype, dims, place, ...rest }] of initialisers) {
    if (weights.has(name) || place.kind === 'inside' || dtype === undefined) continue
    const data = new Uint8Array(takeFrom(elementsOf(dims) * SIZES[dtype]))
    const file = join(dirname(graph.path), place.location)
    await readExactly(files.file(file), file, data, place.offset)
    initialisers.set(name, { ...rest, dtype, dims, place: { kind: 'inside', data, offset: null } })
  }
  return { ...graph, initialisers }

  function takeFrom(bytes: number): number {
    room -= bytes
    if (room >= 0) return bytes
    throw malformed(graph.path, 'more constants than weights', `at most ${CONSTANTS_LIMIT} bytes`)
  }
}

const Name = z.string().min(1).max(200)
/** The fields read here. The others set how to sample, which a measurement sets itself. */
const Genai = z.looseObject({
  model: z.looseObject({
    type: z.string().max(100),
    context_length: z.int().positive().optional(),
    eos_token_id: z.unknown().optional(),
    decoder: z.looseObject({
      head_size: z.int().positive().optional(),
      filename: z.string().regex(/^[\w][\w.-]*\.onnx$/u),
      inputs: z.record(Name, Name).default({}),
      outputs: z.record(Name, Name).default({}),
    }),
  }),
})
type Genai = z.infer<typeof Genai>

async function readGenai(folder: string): Promise<Genai | undefined> {
  const path = join(folder, GENAI_CONFIG)
  if (!(await exists(path))) return undefined
  const parsed = Genai.safeParse(await readJson(path))
  if (parsed.success) return parsed.data
  const why = z.prettifyError(parsed.error).replaceAll('\n', ' ').slice(0, 300)
  throw malformed(path, why, 'a configuration of ONNX Runtime GenAI')
}

const namesOf = ({ model: { decoder } }: Genai): PortNames => ({
  headSize: decoder.head_size,
  tokens: decoder.inputs['input_ids'] ?? OPTIMUM.tokens,
  mask: decoder.inputs['attention_mask'] ?? OPTIMUM.mask,
  positions: decoder.inputs['position_ids'] ?? OPTIMUM.positions,
  pastKeys: decoder.inputs['past_key_names'] ?? OPTIMUM.pastKeys,
  pastValues: decoder.inputs['past_value_names'] ?? OPTIMUM.pastValues,
  logits: decoder.outputs['logits'] ?? OPTIMUM.logits,
  presentKeys: decoder.outputs['present_key_names'] ?? OPTIMUM.presentKeys,
  presentValues: decoder.outputs['present_value_names'] ?? OPTIMUM.presentValues,
})

/** config.json if it exists; otherwise what genai_config.json has of it. */
async function configOf(folder: string, genai: Genai | undefined): Promise<Checkpoint['config']> {
  const path = join(folder, 'config.json')
  const found: JsonObject = (await exists(path)) ? await readJson(path) : {}
  const { type, context_length: length } = genai?.model ?? {}
  const kind = typeof found.model_type === 'string' ? found.model_type : (type ?? 'onnx')
  return { ...(length && { max_position_embeddings: length }), ...found, model_type: kind }
}

const POSITIONS = 2048

function maxPositionsOf({ max_position_embeddings: said, n_positions: older }: JsonObject): number {
  const positions = said ?? older
  return Number.isSafeInteger(positions) && (positions as number) > 0
    ? (positions as number)
    : POSITIONS
}

/** End-of-sequence ids from genai_config.json, for folders without generation_config.json. */
export const genaiEnds = async (folder: string): Promise<unknown> =>
  (await readGenai(folder))?.model.eos_token_id
