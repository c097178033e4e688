/** @file The addon: its path, the stamp of its sources, and its interface. `native/build.ts` builds it, load.ts loads it. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Conversions } from './numerics.ts'

const FOLDER = join(import.meta.dirname, '..', '..', 'native')
export const SOURCES = join(FOLDER, 'src')
const PLATFORM = `${process.platform}-${process.arch}`
/** One file per platform, as packaged. */
const BUILT = join(FOLDER, 'prebuilds', PLATFORM)
export const ADDON = `${BUILT}.node`
export const STAMP = `${BUILT}.json`
/** The package that brings the addon of this platform, in `native/npm`. */
export const NATIVE_PACKAGE = `touchstone-native-${PLATFORM}`

/** The addon and its stamp: built here, else of the installed package; undefined where there is neither. */
export function findAddon(): { readonly addon: string; readonly stamp: string } | undefined {
  if (existsSync(ADDON)) return { addon: ADDON, stamp: STAMP }
  try {
    const resolve = createRequire(import.meta.url).resolve
    return { addon: resolve(NATIVE_PACKAGE), stamp: resolve(`${NATIVE_PACKAGE}/stamp.json`) }
  } catch {
    return undefined
  }
}

/** Written beside the addon. */
export interface Stamp {
  readonly sources: string
}

/** sha256 of the C++ sources, names and text; undefined where they are not shipped. */
export function sourcesDigest(): string | undefined {
  let names: string[]
  try {
    names = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).sort()
  } catch {
    return undefined
  }
  const hash = createHash('sha256')
  for (const name of names.filter((each) => /\.(?:cc|h)$/.test(each)))
    hash.update(`${name}\n`).update(readFileSync(join(SOURCES, name)))
  return hash.digest('hex')
}

declare const value: unique symbol
/** A tensor in a device's memory. It keeps its session alive until `releaseValue`. */
export interface ValueHandle {
  readonly [value]: true
}

/** Memory that ONNX Runtime reads or writes in place, the host's or a device's. `type` is ONNX's number of the dtype. */
export interface BoundTensor {
  readonly name: string
  readonly type: number
  readonly dims: readonly number[]
  readonly data: Uint8Array<ArrayBuffer> | ValueHandle
}

export interface FreshTensor extends Omit<BoundTensor, 'data'> {
  readonly data: ArrayBuffer
}

/** ONNX Runtime's names of an execution provider and of its memory, and the provider's options. */
export interface Provider {
  readonly name: string
  readonly memory: string
  readonly options: readonly (readonly [key: string, value: string])[]
}

export interface GivenData {
  readonly name: string
  readonly data: Uint8Array
  /** Of memory that is read in place and held by the session; null where it is copied while the session opens. */
  readonly inPlace: Pick<BoundTensor, 'type' | 'dims'> | null
}

export interface SessionSettings {
  readonly threads: number
  /** Optimises the graph, packs matrices and plans memory: for graphs that run often without change. */
  readonly optimised: boolean
  /** Whether memory is kept between runs. */
  readonly arena: boolean
  /** Folder that the model's weight files are relative to; empty if it has none. */
  readonly folder: string
  /** Initialisers that the model refers to but does not contain. */
  readonly weights: readonly GivenData[]
  /** Null for the CPU. */
  readonly provider: Provider | null
}

declare const session: unique symbol
/** A C++ session. Its memory is freed after `releaseSession` and the last run. */
interface SessionHandle {
  readonly [session]: true
}

/**
 * The C++ exports. They do not check arguments; the only callers are load.ts, evals/runtime, `mappedFloats`
 * and the kept decompositions. */
export interface Addon extends Conversions {
  /** The instruction set in use: the fastest available, or the chosen one. */
  instructions(): string
  /** Compiled instruction sets that this processor supports, fastest first. */
  knownInstructions(): string[]
  /** Applies to the whole process; returns false if unknown. */
  chooseInstructions(name: string): boolean
  squaredNorm(values: Float32Array): Promise<number>
  /** `runs` `[count, 4]`: start, end, keep, stepSize; `scalars`: β1, β2, ε, rootCorrection2, gradientScale. */
  adamW(
    parameters: Float32Array,
    firstMoment: Float32Array,
    secondMoment: Float32Array,
    gradient: Float32Array,
    runs: Float64Array,
    scalars: Float64Array,
    threads: number,
  ): Promise<void>
  /** Into `out` `[p, q]`. */
  rowProducts(
    A: Float64Array,
    p: number,
    B: Float64Array,
    q: number,
    width: number,
    half: boolean,
    out: Float64Array,
  ): void
  /** Into `out` `[p]`: X x of X `[p, width]`. */
  multiply(X: Float64Array, p: number, x: Float64Array, width: number, out: Float64Array): void
  /** `out` `[width]` += factor · Xᵀ y of X `[count, width]`. */
  addRows(
    out: Float64Array,
    width: number,
    factor: number,
    y: Float64Array,
    X: Float64Array,
    count: number,
  ): void
  /** Into `out`: Y W `[r, n]` of Y `[r, m]` and W `[m, n]`, or Y Wᵀ `[r, m]` of Y `[r, n]` where `transposed`. */
  throughWeight(
    Y: Float64Array,
    r: number,
    W: Float32Array,
    m: number,
    n: number,
    transposed: boolean,
    out: Float64Array,
  ): void
  /** Changes x `[width]` in place and returns its remaining length. */
  orthogonalise(x: Float64Array, width: number, basis: Float64Array, count: number): number
  /** Into `out` `[k - from]`. */
  tridiagonalValues(
    diagonal: Float64Array,
    off: Float64Array,
    size: number,
    bound: number,
    from: number,
    k: number,
    out: Float64Array,
  ): void
  /** Writes `values` `[p]`, descending, and `vectors` `[p, p]` as rows; returns false without convergence. */
  symmetricEigen(G: Float64Array, p: number, values: Float64Array, vectors: Float64Array): boolean
  /**
   * Maps `bytes` of the file from `offset`, copy-on-write and never written back. Returns null where the file is too short,
   * `offset` is no multiple of 4, or mapping is not possible (Windows, Electron, very large sizes). Reading a file that was
   * truncated while mapped ends the process with SIGBUS.
   */
  mapFile(path: string, offset: number, bytes: number): ArrayBuffer | null
  /**
   * Must be called before any other code opens a session in this process. Device errors on ONNX Runtime's log then become the
   * rejections of `allocateValue` and `runSession`; WebGPU reports out-of-memory nowhere else.
   */
  loadRuntime(library: string): void
  /** Opens a graph on the ONNX Runtime at `library`. Rejects with ONNX Runtime's message, as does `runSession`. */
  openSession(library: string, model: Uint8Array, settings: SessionSettings): Promise<SessionHandle>
  /** Writes `outputs` in place; outputs in `fresh` are new. Does not block the event loop. */
  runSession(
    session: SessionHandle,
    inputs: readonly BoundTensor[],
    outputs: readonly BoundTensor[],
    fresh: readonly string[],
  ): Promise<FreshTensor[]>
  releaseSession(session: SessionHandle): void
  /** Uninitialised, in the memory of the session's device. */
  allocateValue(session: SessionHandle, type: number, dims: readonly number[]): Promise<ValueHandle>
  releaseValue(value: ValueHandle): void
}
