/**
 * @file A frozen base in less memory: matrices as int8 with a scale a row (W ≈ scale·q, scale = max|W|/127, so that
 * |error| ≤ scale/2) or as float16, everything else in float32. What is computed with is scale·q exactly.
 */
import { scaleName, type WeightStorage } from '../graph/stored.ts'
import type { WeightSpec } from './architecture.ts'

export const PRECISIONS = ['fp32', 'fp16', 'int8'] as const
export type Precision = (typeof PRECISIONS)[number]

const STORAGE: Readonly<Record<Precision, WeightStorage | undefined>> = {
  fp32: undefined,
  fp16: 'float16',
  int8: 'int8',
}
export const BYTES_OF: Readonly<Record<Precision, number>> = { fp32: 4, fp16: 2, int8: 1 }

export interface SmallWeight {
  readonly storage: WeightStorage
  readonly data: Int8Array | Float16Array
  /** One a row; none for float16. */
  readonly scales: Float32Array
}

export type SmallWeights = ReadonlyMap<string, SmallWeight>

/** Embeddings and linear layers are; norms and biases are few numbers, and a head that names classes is trained. */
export const storageOf = (
  { kind, shape, head }: Pick<WeightSpec, 'kind' | 'shape' | 'head'>,
  precision: Precision,
): WeightStorage | undefined =>
  shape.length === 2 && !head && (kind === 'linear' || kind === 'embedding')
    ? STORAGE[precision]
    : undefined

/** @param weight `[rows, columns]` */
export function shrunk(weight: Float32Array, rows: number, storage: WeightStorage): SmallWeight {
  if (storage === 'float16')
    return { storage, data: new Float16Array(weight), scales: new Float32Array(0) }
  const data = new Int8Array(weight.length)
  const scales = new Float32Array(rows)
  const columns = weight.length / rows
  for (let row = 0; row < rows; row++) {
    const [start, end] = [row * columns, (row + 1) * columns]
    let largest = 0
    for (let i = start; i < end; i++) largest = Math.max(largest, Math.abs(weight[i]!))
    if (largest === 0) continue
    const scale = Math.fround(largest / 127)
    scales[row] = scale
    for (let i = start; i < end; i++) data[i] = Math.round(weight[i]! / scale)
  }
  return { storage, data, scales }
}

/** What is computed with, in float32. */
export function wide({ storage, data, scales }: SmallWeight): Float32Array {
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

/** A base of which matrices are kept small: in float32 each is made when it is asked for, and not kept. */
export class KeptWeights implements ReadonlyMap<string, Float32Array> {
  readonly small: SmallWeights
  readonly #names: ReadonlySet<string>
  readonly #other: (name: string) => Float32Array

  /** @param other what is not kept small */
  constructor(names: Iterable<string>, small: SmallWeights, other: (name: string) => Float32Array) {
    this.#names = new Set(names)
    this.small = small
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
    return own ? wide(own) : this.#other(name)
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
  weights instanceof KeptWeights ? weights.small : undefined

/** `changed` in place of `weights` of the same name, or beside them; what is kept small stays so. */
export function overlaid(weights: Weights, changed: Weights): Weights {
  const small = smallOf(weights)
  if (!small) return new Map([...weights, ...changed])
  const kept = new Map([...small].filter(([name]) => !changed.has(name)))
  const names = [...weights.keys(), ...changed.keys()]
  return new KeptWeights(names, kept, (name) => changed.get(name) ?? weights.get(name)!)
}

/** How a graph that runs on `weights` keeps each of them. */
export const keptBy = (weights: Weights) => (name: string) => smallOf(weights)?.get(name)?.storage

/** The data of a graph's input: a weight as it is kept, or the scales of one that is kept small. */
export function keptData(
  weights: Weights,
  input: string,
): SmallWeight['data'] | Float32Array | undefined {
  const small = smallOf(weights)
  const scales = scaleName('')
  const own = input.endsWith(scales)
    ? small?.get(input.slice(0, -scales.length))?.scales
    : small?.get(input)?.data
  return own ?? weights.get(input)
}
