/**
 * @file Runs a graph on ONNX Runtime.
 *
 * For training, frozen weights are fed on each run as zero-copy views. For generation they become initialisers, from memory or
 * from their file (`weight-files.ts`), which ONNX Runtime packs once. Training uses neither prepacking nor a memory pattern,
 * which would cost memory and save nothing.
 */
import ort from './onnxruntime.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { dtypeNumber, encode } from '../graph/encode.ts'
import type { Graph } from '../graph/ops/index.ts'
import type { Dtype, Value } from '../graph/value.ts'
import type { SessionSettings } from '../native/addon.ts'
import { addonFor, needsAddon } from './addon-for.ts'
import { bindSymbols, evaluate } from './bindings.ts'
import { dialectOf, type Device } from './device.ts'
import { toWebGpu } from './device-memory.ts'
import { DeviceTensor } from './device-tensor.ts'
import { freeGarbage } from '../native/garbage.ts'
import { translateOrtError } from './ort-errors.ts'
import { openPlainSession } from './plain-session.ts'
import { PROVIDERS } from './providers.ts'
import { free, residentMemory, type DeviceMemory } from './resident-memory.ts'
import { openResident, type PlacedTensor, type OpenSession } from './resident-session.ts'
import type { Feeds, FrozenData, Memories, Tensor, TensorData } from './tensor.ts'
import { folderOf, givenWeights, inMemory, isPlace, type FilePlace } from './weight-files.ts'

interface RunnerOptions {
  readonly device: Device
  readonly purpose: 'train' | 'generate'
  /** Weights that do not change while the runner lives, by input name. */
  readonly frozen?: ReadonlyMap<string, FrozenData | FilePlace>
}

export interface Runner {
  /** Names of the required feeds. */
  readonly inputs: readonly string[]
  readonly nodes: number
  /**
   * Declares arrays that will be fed unchanged on every run, so that a device with its own memory copies them once. They must
   * still be fed.
   */
  keep(feeds: Feeds): Promise<void>
  /** The device's memory; absent on the CPU and with onnxruntime-node. */
  readonly memory?: DeviceMemory
  /**
   * Outputs in `into` are written there, for example a cache that extends its input; all others are new. Returns the `wanted`
   * outputs (default: all) that are not on a device.
   */
  run(feeds: Memories, into?: Memories, wanted?: readonly string[]): Promise<Record<string, Tensor>>
  release(): Promise<void>
}

type OrtDtype = 'float32' | 'float16' | 'float64' | 'int8' | 'int32' | 'int64' | 'bool' | 'uint8'

export async function createRunner(
  g: Graph,
  outputs: Readonly<Record<string, Value>>,
  options: RunnerOptions,
): Promise<Runner> {
  const { device, purpose, frozen = new Map<string, FrozenData>() } = options
  requireFit(g, device)
  const order = purpose === 'train' ? 'backwards' : 'written'
  const encoded = encode(g, outputs, givenWeights(frozen, g.isInBlocks), order)
  const declared = new Map(encoded.inputs.map((value) => [value.name, value]))
  const { session, memory } = await opened(encoded.bytes, settingsOf(g, options), options)
  let resident: Resident | undefined
  return {
    inputs: [...declared.keys()].filter((name) => !g.shapeInputs.has(name)),
    nodes: encoded.nodes,
    ...(memory && { memory }),
    async keep(feeds) {
      const named = Object.fromEntries(Object.entries(feeds).filter(([name]) => declared.has(name)))
      const copies = memory
        ? await copiesIn(memory, named)
        : device.name === 'webgpu' && (await toWebGpu(toOrtTensors(declared, named)))
      if (copies) resident = { feeds, ...copies }
    },
    async run(feeds, into = {}, wanted = Object.keys(outputs)) {
      const tensors = { ...toOrt(g, declared, feeds), ...unchanged(resident, feeds) }
      const fetches = fetchesOf(outputs, into, wanted)
      try {
        const results = Object.entries(await session.run(tensors, fetches))
        return Object.fromEntries(results.map(([name, tensor]) => [name, fromOrt(tensor)]))
      } catch (error) {
        throw translateOrtError(error, { device: device.name, batchSize: batchSizeOf(feeds) })
      }
    },
    async release() {
      if (device.profilePrefix !== undefined) session.endProfiling()
      await resident?.release()
      await closed(g, session)
    },
  }
}

/** Bytes of weights from which what a closed graph held is given back at once: less is not worth the time. */
const LARGE_BYTES = 2 ** 26

async function closed(g: Graph, session: OpenSession): Promise<void> {
  await session.release()
  if (isLarge(g)) freeGarbage()
}

const isLarge = ({ inputs }: Graph): boolean => {
  const sizes = inputs.flatMap(({ shape }) => (isStatic(shape) ? [elementsOf(shape)] : []))
  return 4 * sizes.reduce((sum, size) => sum + size, 0) >= LARGE_BYTES
}

const isStatic = (shape: Value['shape']): shape is readonly number[] =>
  shape.every((size) => typeof size === 'number')

const elementsOf = (shape: readonly number[]): number =>
  shape.reduce((product, size) => product * size, 1)

const batchSizeOf = ({ tokens }: Memories): number => tokens?.dims[0] ?? 1

/** Copies in the device's memory. */
interface Copies {
  readonly tensors: Readonly<Record<string, PlacedTensor>>
  release(): Promise<void>
}

interface Resident extends Copies {
  /** The host's tensors that were copied. */
  readonly feeds: Feeds
}

async function copiesIn(memory: DeviceMemory, feeds: Feeds): Promise<Copies> {
  const tensors = await memory.place(feeds)
  return { tensors, release: async () => free(tensors) }
}

/** The device's copies of those tensors in `feeds` that are the same arrays as when they were copied. */
const unchanged = (
  resident: Resident | undefined,
  feeds: Memories,
): Readonly<Record<string, PlacedTensor>> =>
  Object.fromEntries(
    Object.entries(resident?.tensors ?? {}).filter(
      ([name]) => dataOf(feeds[name]) === resident!.feeds[name]!.data,
    ),
  )

/** Where each wanted output is written; null for a new tensor. */
const fetchesOf = (
  outputs: Readonly<Record<string, Value>>,
  into: Memories,
  wanted: readonly string[],
): Record<string, PlacedTensor | null> =>
  Object.fromEntries(
    wanted.map((name) => {
      const target = into[name]
      return [name, target ? placed(outputs[name]!.dtype, target) : null]
    }),
  )

async function opened(
  model: Uint8Array,
  settings: SessionSettings,
  { device }: RunnerOptions,
): Promise<{ session: OpenSession; memory?: DeviceMemory }> {
  try {
    const native = addonFor(device)
    if (!native) return { session: await openPlain(model, settings, device) }
    const session = await openResident(native, model, settings)
    return settings.provider === null
      ? { session }
      : { session, memory: residentMemory(native, session, settings, device.name) }
  } catch (error) {
    throw translateOrtError(error, { device: device.name, batchSize: 1 })
  }
}

/** A weight: a cache in fewer bits has sizes that are known when it runs. */
const isStoredSmall = ({ dtype, shape }: Value): boolean =>
  isStatic(shape) && (dtype === 'int8' || dtype === 'uint8' || dtype === 'float16')

/** Graph optimisation would widen float16 weights once and for all, and a memory arena would keep every widened matrix. */
function settingsOf(
  g: Graph,
  { purpose, device, frozen = new Map() }: RunnerOptions,
): SessionSettings {
  const kept = g.inputs.filter(({ name }) => !isPlace(frozen.get(name)) && !g.isInBlocks(name))
  const isSmall = kept.some(isStoredSmall)
  const optimised = purpose === 'generate' && !isSmall
  const folder = folderOf(frozen)
  const weights = folder === '' ? inMemory(frozen, inBlocks(g)) : []
  const provider = PROVIDERS[device.name]
  return { threads: device.threads, optimised, arena: !isSmall, folder, weights, provider }
}

/** Blocks are read where they lie, also in a mapped file. */
function inBlocks({ isInBlocks, inputs }: Graph) {
  const known = new Map(inputs.map(({ name, shape }) => [name, shape as number[]]))
  return (name: string) =>
    isInBlocks(name) ? { type: dtypeNumber('uint8'), dims: known.get(name)! } : null
}

const openPlain = (
  model: Uint8Array,
  { threads, optimised, arena, folder, weights }: SessionSettings,
  { name, profilePrefix }: Device,
): Promise<OpenSession> =>
  // onnxruntime-node gets no device memory.
  openPlainSession(model, {
    executionProviders: [name],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: optimised ? 'all' : 'disabled',
    enableMemPattern: optimised,
    enableCpuMemArena: arena,
    extra: {
      session: {
        disable_prepacking: optimised ? '0' : '1',
        model_external_initializers_file_folder_path: folder,
      },
    },
    externalData: weights.map((weight) => ({ path: weight.name, data: weight.data })),
    logSeverityLevel: 3,
    enableProfiling: profilePrefix !== undefined,
    profileFilePrefix: profilePrefix,
  })

/** On other devices than the CPU some fused kernels leave outputs needed by gradients unwritten, without an error. */
function requireFit({ dialect, inputs, isInBlocks }: Graph, device: Device): void {
  if (dialect.fused && !dialectOf(device).fused)
    throw new Error(`internal: a graph for the CPU was to run on ${device.name}`)
  const hasBlocks = inputs.some(({ name }) => isInBlocks(name))
  if (device.name === 'cpu' && hasBlocks && !addonFor(device)) throw needsAddon()
  if (device.name === 'cpu' || !inputs.some(isStoredSmall)) return
  throw new TouchstoneError('device.unusable', {
    device: device.name,
    why: 'a base that is kept in blocks, int8, NF4 or float16 is computed with on the CPU alone',
    remedy: 'Use --device cpu, or --base-precision fp32.',
  })
}

function toOrt(
  g: Graph,
  declared: ReadonlyMap<string, Value>,
  feeds: Memories,
): Record<string, PlacedTensor> {
  const given = [...declared.values()].filter(({ name }) => !g.shapeInputs.has(name))
  const bindings = bindSymbols(
    given.map(({ name, shape }) => {
      const feed = feeds[name]
      if (!feed) throw new Error(`internal: the graph needs the input "${name}", which was not fed`)
      return { name, declared: shape, actual: feed.dims }
    }),
  )
  const tensors: Record<string, PlacedTensor> = {}
  for (const { name, dtype } of given) tensors[name] = placed(dtype, feeds[name]!)
  for (const [name, shape] of g.shapeInputs) {
    if (!declared.has(name)) continue
    const sizes = BigInt64Array.from(shape.map((dim) => BigInt(evaluate(dim, bindings))))
    tensors[name] = new ort.Tensor('int64', sizes, [sizes.length])
  }
  return tensors
}

const toOrtTensors = (
  declared: ReadonlyMap<string, Value>,
  feeds: Feeds,
): Record<string, ort.Tensor> =>
  Object.fromEntries(
    Object.entries(feeds).map(([name, feed]) => [name, ortTensor(declared.get(name)!.dtype, feed)]),
  )

const dataOf = (tensor: Tensor | DeviceTensor | undefined): TensorData | undefined =>
  tensor instanceof DeviceTensor ? undefined : tensor?.data

const placed = (dtype: Dtype, tensor: Tensor | DeviceTensor): PlacedTensor =>
  tensor instanceof DeviceTensor ? tensor : ortTensor(dtype, tensor)

function ortTensor(dtype: Dtype, { data, dims }: Tensor): ort.Tensor {
  const tensor = new ort.Tensor(dtype as OrtDtype as 'float32', data as Float32Array, dims)
  if (!(data instanceof Float16Array)) return tensor
  // The binding takes float16 only as 16-bit words, the library above it only as Float16Array.
  const words = new Uint16Array(data.buffer, data.byteOffset, data.length)
  return Object.defineProperty(tensor, 'data', { value: words })
}

const fromOrt = (tensor: ort.Tensor): Tensor => ({
  data: tensor.data as TensorData,
  dims: tensor.dims,
})
