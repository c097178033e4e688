/**
 * @file A frozen base in less memory: matrices as int8 with a scale per row (W ≈ scale·q, scale = max|W|/127, so |error| ≤
 * scale/2), as float16, in NF4 (`nf4-weights.ts`) or in its file's blocks, the rest in float32. Computations use the kept numbers exactly.
 */
import { BLOCK_FORMS, isBlockName, type BlockName } from '../../graph/storage/blocks.ts'
import { fitsNf4, nf4Names } from '../../graph/storage/nf4.ts'
import { scaleName, type SmallStorage, type WeightStorage } from '../../graph/storage/stored.ts'
import type { WeightSpec } from '../architecture.ts'
import { asNf4, fromNf4, NF4_BYTES, type Nf4Weight } from './nf4-weights.ts'
import { STORAGE_FORMATS } from './dequantise.ts'
import type { WeightPlace } from './storage.ts'

export const PRECISIONS = ['fp32', 'fp16', 'int8', 'nf4', 'blocks', 'blocks-int8'] as const
export type Precision = (typeof PRECISIONS)[number]

/** Those that compute with the base's own numbers: what a model that is only asked may be kept in. */
export const OWN_PRECISIONS = ['fp32', 'blocks'] as const satisfies readonly Precision[]

/** Whether matrices stay in their file's blocks, `blocks-int8` being multiplied approximately. */
export const isInBlocks = (precision: Precision): boolean =>
  precision === 'blocks' || precision === 'blocks-int8'

const STORAGE: Readonly<Record<Precision, SmallStorage | undefined>> = {
  fp32: undefined,
  fp16: 'float16',
  int8: 'int8',
  nf4: 'nf4',
  // As the file has it.
  blocks: undefined,
  'blocks-int8': undefined,
}
/** Bytes a number. */
export function bytesOf(storage: SmallStorage): number {
  if (isBlockName(storage)) return BLOCK_FORMS[storage].bytes / BLOCK_FORMS[storage].numbers
  return { float16: 2, int8: 1, nf4: NF4_BYTES }[storage]
}

interface PlainSmall {
  readonly storage: 'int8' | 'float16'
  readonly data: Int8Array | Float16Array
  /** One per row; empty for float16. */
  readonly scales: Float32Array
}
/** As the file holds it. */
interface BlockWeight {
  readonly storage: BlockName
  readonly data: Uint8Array
  /** Whether it is multiplied with the other factor rounded to int8 where a state is asked. */
  readonly isRounded?: boolean
}
export type SmallWeight = PlainSmall | Nf4Weight | BlockWeight

export type SmallWeights = ReadonlyMap<string, SmallWeight>

type Stored = Pick<WeightSpec, 'kind' | 'shape' | 'head' | 'module' | 'blocks'>

/**
 * Embeddings and linear layers, except a classification head, which is trained; norms and biases are small. NF4 is for the linear
 * layers of the blocks alone, embedding and head are then float16. `blocks` keeps what the file has in ggml's blocks as it is.
 */
export function storageOf(
  { kind, shape, head, module, blocks }: Stored,
  precision: Precision,
): SmallStorage | undefined {
  if (shape.length !== 2 || head || (kind !== 'linear' && kind !== 'embedding')) return undefined
  if (isInBlocks(precision)) return blocks
  const isOther = kind !== 'linear' || module === undefined || !fitsNf4(shape)
  return precision === 'nf4' && isOther ? 'float16' : STORAGE[precision]
}

/** @param weight `[rows, columns]` */
export function quantise(
  weight: Float32Array,
  rows: number,
  storage: SmallStorage,
): PlainSmall | Nf4Weight {
  if (isBlockName(storage)) throw new Error(`internal: nothing is rounded to ${storage}`)
  if (storage === 'nf4') return asNf4(weight)
  if (storage === 'float16')
    return { storage, data: new Float16Array(weight), scales: new Float32Array(0) }
  const data = new Int8Array(weight.length)
  const scales = new Float32Array(rows)
  const columns = weight.length / rows
  for (let row = 0; row < rows; row++) {
    const [start, end] = [row * columns, (row + 1) * columns]
    let largest = 0
    for (let i = start; i < end; i++) largest = Math.max(largest, Math.abs(weight[i]!))
    const scale = Math.fround(largest / 127)
    // A row of zeros, or of numbers too small for a scale.
    if (scale === 0) continue
    scales[row] = scale
    for (let i = start; i < end; i++) data[i] = Math.round(weight[i]! / scale)
  }
  return { storage, data, scales }
}

/** The values computed with, in float32. */
export function dequantise(small: SmallWeight): Float32Array {
  if (small.storage === 'nf4') return fromNf4(small)
  if (isBlocks(small)) return fromBlocks(small)
  const { storage, data, scales } = small
  const weight = new Float32Array(data)
  if (storage === 'float16') return weight
  const columns = weight.length / scales.length
  for (let row = 0; row < scales.length; row++) {
    const scale = scales[row]!
    const end = (row + 1) * columns
    for (let i = row * columns; i < end; i++) weight[i]! *= scale
  }
  return weight
}

/** What `weights` would hold of these numbers: rounded where it keeps its own of that name rounded; blocks round nothing here. */
export function asKeptIn(weights: Weights, name: string, data: Float32Array): Float32Array {
  const small = smallOf(weights)?.get(name)
  if (!small || isBlocks(small)) return data
  const rows = 'scales' in small && small.storage === 'int8' ? small.scales.length : 1
  return dequantise(quantise(data, rows, small.storage))
}

const isBlocks = (small: SmallWeight): small is BlockWeight => isBlockName(small.storage)

const numbersOf = ({ storage, data }: BlockWeight): number =>
  (data.length / BLOCK_FORMS[storage].bytes) * BLOCK_FORMS[storage].numbers

function fromBlocks(small: BlockWeight): Float32Array {
  const wide = new Float32Array(numbersOf(small))
  STORAGE_FORMATS[small.storage].decode(small.data, wide)
  return wide
}

type Places = ReadonlyMap<string, WeightPlace>

/**
 * Weights that are stored small or left in their files. Each is converted to float32 on access and not kept; callers keep
 * what they need often.
 */
export class LazyWeights implements ReadonlyMap<string, Float32Array> {
  readonly small: SmallWeights
  readonly places: Places
  readonly #names: ReadonlySet<string>
  readonly #other: (name: string) => Float32Array

  /** @param other reads a weight that is not stored small */
  constructor(
    names: Iterable<string>,
    small: SmallWeights,
    other: (name: string) => Float32Array,
    places: Places = new Map(),
  ) {
    this.#names = new Set(names)
    this.small = small
    this.places = places
    this.#other = other
  }

  get size(): number {
    return this.#names.size
  }

  has(name: string): boolean {
    return this.#names.has(name)
  }

  get(name: string): Float32Array | undefined {
    return this.has(name) ? this.#made(name) : undefined
  }

  #made(name: string): Float32Array {
    const own = this.small.get(name)
    return own ? dequantise(own) : this.#other(name)
  }

  keys() {
    return this.#names.values()
  }

  *values(): Generator<Float32Array, undefined> {
    for (const name of this.#names) yield this.#made(name)
  }

  *entries(): Generator<[string, Float32Array], undefined> {
    for (const name of this.#names) yield [name, this.#made(name)]
  }

  forEach(
    visit: (data: Float32Array, name: string, all: ReadonlyMap<string, Float32Array>) => void,
  ): void {
    for (const [name, data] of this) visit(data, name, this)
  }

  [Symbol.iterator]() {
    return this.entries()
  }
}

type Weights = ReadonlyMap<string, Float32Array>

export const smallOf = (weights: Weights): SmallWeights | undefined =>
  weights instanceof LazyWeights && weights.small.size > 0 ? weights.small : undefined

/** How many numbers a weight has; one that is kept small is not widened for it. */
export function numbersIn(weights: Weights, name: string): number | undefined {
  const own = smallOf(weights)?.get(name)
  if (!own) return weights.get(name)?.length
  if (isBlocks(own)) return numbersOf(own)
  return own.storage === 'nf4' ? 2 * own.data.length : own.data.length
}

/** `weights` with those in `changed` replaced or added; the others keep their storage. */
export function overlaid(weights: Weights, changed: Weights): Weights {
  if (!(weights instanceof LazyWeights)) return new Map([...weights, ...changed])
  const names = [...weights.keys(), ...changed.keys()]
  return keptBut(weights, changed, names, (name) => changed.get(name) ?? weights.get(name)!)
}

/** `weights` except those in `gone`. */
export function without(weights: Weights, gone: Names): Weights {
  if (!(weights instanceof LazyWeights)) return lacking(weights, gone)
  const names = [...weights.keys()].filter((name) => !gone.has(name))
  return keptBut(weights, gone, names, (name) => weights.get(name)!)
}

interface Names {
  has(name: string): boolean
}

const lacking = <T>(all: ReadonlyMap<string, T>, gone: Names) =>
  new Map([...all].filter(([name]) => !gone.has(name)))

/** Weights `names` that keep their storage, except those in `gone`, which `read` gives. */
const keptBut = (
  { small, places }: LazyWeights,
  gone: Names,
  names: readonly string[],
  read: (name: string) => Float32Array,
) => new LazyWeights(names, lacking(small, gone), read, lacking(places, gone))

/** Storage of each input in a graph that is fed `weights`. */
export const fedStorage = (weights: Weights) => (name: string) =>
  smallOf(weights)?.get(name)?.storage

/** The same where a state is asked: of `blocks-int8` products are approximate there, and exact where it is trained. */
export const askedStorage =
  (weights: Weights) =>
  (name: string): WeightStorage | undefined => {
    const own = smallOf(weights)?.get(name)
    return own && isBlocks(own) && own.isRounded ? `product:${own.storage}` : own?.storage
  }

/** Whether each matrix, for embeddings and products, is in its file's blocks. */
export function areInBlocks(weights: Weights, specs: Iterable<Stored & { name: string }>): boolean {
  const small = smallOf(weights)
  const matrices = [...specs].filter(({ shape }) => shape.length >= 2)
  return matrices.every(({ name }) => isBlockName(small?.get(name)?.storage))
}

/** Limit on weights inside a model's bytes when the others are in files; they are copied. */
export const MOST_IN_MODEL = 256 * 2 ** 20

/** Whether a graph can be opened with most of these weights left in their files. */
export function areInFiles(weights: Weights): weights is LazyWeights {
  if (!(weights instanceof LazyWeights) || weights.small.size > 0) return false
  const others = [...weights.keys()].filter((name) => !weights.places.has(name))
  const bytes = others.reduce((sum, name) => sum + weights.get(name)!.byteLength, 0)
  return weights.places.size > 0 && bytes <= MOST_IN_MODEL
}

const IN_FILE = { F32: undefined, F16: 'file:float16', BF16: 'file:bfloat16' } as const

/** Storage of each input in a graph opened with `weights`: as in the file if the weight is in one. */
export const openedStorage = (weights: Weights) => (name: string) => {
  const place = placeIn(weights, name)
  return place ? IN_FILE[place.storage] : fedStorage(weights)(name)
}

function placeIn(weights: Weights, name: string): WeightPlace | undefined {
  const place = weights instanceof LazyWeights ? weights.places.get(name) : undefined
  return place?.isThere() ? place : undefined
}

/** What a graph is opened with: a weight's place, or else `keptData`. */
export const openedWith = (weights: Weights, input: string) =>
  placeIn(weights, input) ?? keptData(weights, input)

/** Data of a graph's input: a weight as stored, or a part of a small one. */
export function keptData(
  weights: Weights,
  input: string,
): SmallWeight['data'] | Float32Array | undefined {
  const small = smallOf(weights)
  const whole = small?.get(input)?.data ?? weights.get(input)
  if (whole || !small || !input.includes(':')) return whole
  const owner = input.slice(0, input.lastIndexOf(':'))
  const own = small.get(owner)
  if (own?.storage === 'nf4') {
    const names = nf4Names(owner)
    const part = (['scales', 'steps', 'least'] as const).find((each) => names[each] === input)
    return part && own[part]
  }
  return own && 'scales' in own && input === scaleName(owner) ? own.scales : undefined
}
