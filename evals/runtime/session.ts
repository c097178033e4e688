/**
 * @file Runs a graph on ONNX Runtime.
 *
 * Frozen weights are fed on each run (zero-copy views) for training, or become initialisers for generation, where packing
 * them once pays: out of memory, or out of the file that they lie in (`weight-files.ts`). Training has no prepacking and no
 * memory pattern: they cost memory and save nothing there.
 */
import ort from './onnxruntime.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { encode } from '../graph/encode.ts'
import type { Graph } from '../graph/ops/index.ts'
import type { Dtype, Value } from '../graph/value.ts'
import type { SessionSettings } from '../native/addon.ts'
import { addonFor } from './addon-for.ts'
import { bindSymbols, evaluate } from './bindings.ts'
import { dialectOf, type Device } from './device.ts'
import { toWebGpu } from './device-memory.ts'
import { DeviceTensor } from './device-tensor.ts'
import { translateOrtError } from './ort-errors.ts'
import { openPlainSession } from './plain-session.ts'
import { PROVIDERS } from './providers.ts'
import { free, residentMemory, type DeviceMemory } from './resident-memory.ts'
import { openResident, type Lying, type OpenSession } from './resident-session.ts'
import type { Feeds, FrozenData, Memories, Tensor, TensorData } from './tensor.ts'
import { folderOf, givenWeights, inMemory, isPlace, type FilePlace } from './weight-files.ts'

interface RunnerOptions {
  readonly device: Device
  readonly purpose: 'train' | 'generate'
  /** Weights that never change while the runner lives, by input name. */
  readonly frozen?: ReadonlyMap<string, FrozenData | FilePlace>
}

export interface Runner {
  /** The names that `run` must be fed. */
  readonly inputs: readonly string[]
  readonly nodes: number
  /**
   * Says that these very arrays will be fed again and again, unchanged: a device with memory of its own copies them once.
   * `run` is fed them all the same.
   */
  keep(feeds: Feeds): Promise<void>
  /** Of the device's own; absent on the CPU, and where onnxruntime-node runs the graph. */
  readonly memory?: DeviceMemory
  /**
   * Outputs given in `into` are written there (a cache that is its own past); every other output is new. Only those of
   * `wanted` are given back, all of them if it is absent; none that is left on a device.
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
  const external = givenWeights(frozen)
  requireFit(g, device)
  const order = purpose === 'train' ? 'backwards' : 'written'
  const encoded = encode(g, outputs, external, order)
  const declared = new Map(encoded.inputs.map((value) => [value.name, value]))
  const settings = settingsOf(g, options)
  const { session, memory } = await opened(encoded.bytes, settings, options)
  let kept: { readonly feeds: Feeds; readonly there: Kept } | undefined
  return {
    inputs: [...declared.keys()].filter((name) => !g.shapeInputs.has(name)),
    nodes: encoded.nodes,
    ...(memory && { memory }),
    async keep(feeds) {
      const named = Object.fromEntries(Object.entries(feeds).filter(([name]) => declared.has(name)))
      const there = memory
        ? await keptIn(memory, named)
        : device.name === 'webgpu' && (await toWebGpu(toOrtTensors(declared, named)))
      if (there) kept = { feeds, there }
    },
    async run(feeds, into = {}, wanted = Object.keys(outputs)) {
      const tensors = toOrt(g, declared, feeds)
      for (const [name, tensor] of Object.entries(kept?.there.tensors ?? {}))
        if (dataOf(feeds[name]) === kept!.feeds[name]!.data) tensors[name] = tensor
      const fetches: Record<string, Lying | null> = {}
      for (const name of wanted) {
        const target = into[name]
        fetches[name] = target ? lying(outputs[name]!.dtype, target) : null
      }
      try {
        const results = await session.run(tensors, fetches)
        return Object.fromEntries(
          Object.entries(results).map(([name, tensor]) => [name, fromOrt(tensor)]),
        )
      } catch (error) {
        throw translateOrtError(error, {
          device: device.name,
          batchSize: feeds.tokens?.dims[0] ?? 1,
        })
      }
    },
    async release() {
      if (device.profilePrefix !== undefined) session.endProfiling()
      await kept?.there.release()
      await session.release()
    },
  }
}

/** Tensors of the device's memory that are fed in place of the host's of the same names. */
interface Kept {
  readonly tensors: Readonly<Record<string, Lying>>
  release(): Promise<void>
}

async function keptIn(memory: DeviceMemory, feeds: Feeds): Promise<Kept> {
  const tensors = await memory.place(feeds)
  return { tensors, release: async () => free(tensors) }
}

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

/** Optimised, a float16 weight would be made float32 once and for all; an arena would keep what each widened matrix took. */
function settingsOf(
  g: Graph,
  { purpose, device, frozen = new Map() }: RunnerOptions,
): SessionSettings {
  const kept = g.inputs.filter(({ name }) => !isPlace(frozen.get(name)))
  const isSmall = kept.some(({ dtype }) => dtype === 'int8' || dtype === 'float16')
  const optimised = purpose === 'generate' && !isSmall
  const folder = folderOf(frozen)
  const weights = folder === '' ? inMemory(frozen) : []
  const provider = PROVIDERS[device.name]
  return { threads: device.threads, optimised, arena: !isSmall, folder, weights, provider }
}

const openPlain = (
  model: Uint8Array,
  { threads, optimised, arena, folder, weights }: SessionSettings,
  { name, profilePrefix }: Device,
): Promise<OpenSession> =>
  // It knows no device's memory, and is given none.
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

/** Elsewhere than on the CPU some fused kernels leave what a gradient needs unwritten, and say nothing. */
function requireFit({ dialect, inputs }: Graph, device: Device): void {
  if (dialect.fused && !dialectOf(device).fused)
    throw new Error(`internal: a graph for the CPU was to run on ${device.name}`)
  if (device.name === 'cpu' || !inputs.some(({ dtype }) => dtype === 'int8' || dtype === 'float16'))
    return
  throw new TouchstoneError('device.unusable', {
    device: device.name,
    why: 'a base that is kept in int8 or float16 is computed with on the CPU alone',
    remedy: 'Use --device cpu, or --base-precision fp32.',
  })
}

function toOrt(
  g: Graph,
  declared: ReadonlyMap<string, Value>,
  feeds: Memories,
): Record<string, Lying> {
  const given = [...declared.values()].filter(({ name }) => !g.shapeInputs.has(name))
  const bindings = bindSymbols(
    given.map(({ name, shape }) => {
      const feed = feeds[name]
      if (!feed) throw new Error(`internal: the graph needs the input "${name}", which was not fed`)
      return { name, declared: shape, actual: feed.dims }
    }),
  )
  const tensors: Record<string, Lying> = {}
  for (const { name, dtype } of given) tensors[name] = lying(dtype, feeds[name]!)
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

const lying = (dtype: Dtype, tensor: Tensor | DeviceTensor): Lying =>
  tensor instanceof DeviceTensor ? tensor : ortTensor(dtype, tensor)

function ortTensor(dtype: Dtype, { data, dims }: Tensor): ort.Tensor {
  const tensor = new ort.Tensor(dtype as OrtDtype as 'float32', data as Float32Array, dims)
  if (!(data instanceof Float16Array)) return tensor
  // The binding knows float16 as 16-bit words alone, the library above it as Float16Array alone.
  const words = new Uint16Array(data.buffer, data.byteOffset, data.length)
  return Object.defineProperty(tensor, 'data', { value: words })
}

const fromOrt = (tensor: ort.Tensor): Tensor => ({
  data: tensor.data as TensorData,
  dims: tensor.dims,
})
