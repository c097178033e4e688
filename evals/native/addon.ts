/** @file Where the addon lies, what it was built from, and what it offers. `native/build.ts` makes it; load.ts loads it. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Conversions } from './numerics.ts'

const FOLDER = join(import.meta.dirname, '..', '..', 'native')
export const SOURCES = join(FOLDER, 'src')
/** One file a platform, as a package carries them. */
const BUILT = join(FOLDER, 'prebuilds', `${process.platform}-${process.arch}`)
export const ADDON = `${BUILT}.node`
export const STAMP = `${BUILT}.json`

/** Written beside the addon. */
export interface Stamp {
  readonly sources: string
}

/** sha256 over names and text of the C++ sources; undefined where they are not shipped. */
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
/** A tensor in a device's memory. It keeps the session that it was made for, until `releaseValue`. */
export interface ValueHandle {
  readonly [value]: true
}

/**
 * Memory that ONNX Runtime reads or writes where it lies, the host's or a device's. `type` is the number by which ONNX knows the
 * dtype.
 */
export interface BoundTensor {
  readonly name: string
  readonly type: number
  readonly dims: readonly number[]
  readonly data: Uint8Array<ArrayBuffer> | ValueHandle
}

export interface FreshTensor extends Omit<BoundTensor, 'data'> {
  readonly data: ArrayBuffer
}

/** By what ONNX Runtime knows a device, what it calls that device's memory, and what it is told of it, as keys and values. */
export interface Provider {
  readonly name: string
  readonly memory: string
  readonly options: readonly (readonly [key: string, value: string])[]
}

export interface SessionSettings {
  readonly threads: number
  /** The graph rewritten, matrices packed and memory planned: for a graph that is run often without change. */
  readonly optimised: boolean
  /** Whether memory is kept from run to run. */
  readonly arena: boolean
  /** That the model's files of weights are named relative to; empty where it names none. */
  readonly folder: string
  /** Initialisers that the model names and does not hold; copied while it is opened. */
  readonly weights: readonly { readonly name: string; readonly data: Uint8Array }[]
  /** Null for the processor. */
  readonly provider: Provider | null
}

declare const session: unique symbol
/** A session of C++'s; its memory goes with the last run after `releaseSession`. */
interface SessionHandle {
  readonly [session]: true
}

/** What C++ exports. It trusts its arguments: numerics in load.ts, evals/runtime and `mappedFloats` are its only callers. */
export interface Addon extends Conversions {
  /** The set of instructions in use: the quickest that this processor has, or what was chosen. */
  instructions(): string
  /** Those that were compiled and that this processor has, the quickest first. */
  knownInstructions(): string[]
  /** For the whole process; false where they are not known. */
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
  /** x `[width]` in place; the length that was left of it. */
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
  /** Into `values` `[p]`, descending, and `vectors` `[p, p]`, a row each; false where it did not converge. */
  symmetricEigen(G: Float64Array, p: number, values: Float64Array, vectors: Float64Array): boolean
  /**
   * `bytes` of the file from `offset` on, mapped: memory of its own to whoever writes, and never written back. Null where the
   * file does not reach so far, where `offset` is no multiple of 4, and where there is no such memory (Windows, Electron, or
   * very much of it). A file that is cut short while it is mapped ends the process that reads there, with SIGBUS.
   */
  mapFile(path: string, offset: number, bytes: number): ArrayBuffer | null
  /**
   * To be called before anybody else opens a session in this process: what a device says on ONNX Runtime's log is then heard, and
   * is what `allocateValue` and `runSession` reject with. WebGPU says nowhere else that memory ran out.
   */
  loadRuntime(library: string): void
  /** Opens a graph on the ONNX Runtime at `library`. Rejects with ONNX Runtime's words, as `runSession` does. */
  openSession(library: string, model: Uint8Array, settings: SessionSettings): Promise<SessionHandle>
  /** `outputs` are written where they lie; those named in `fresh` are new. The event loop turns meanwhile. */
  runSession(
    session: SessionHandle,
    inputs: readonly BoundTensor[],
    outputs: readonly BoundTensor[],
    fresh: readonly string[],
  ): Promise<FreshTensor[]>
  releaseSession(session: SessionHandle): void
  /** In the memory of the session's device. What it holds is not said. */
  allocateValue(session: SessionHandle, type: number, dims: readonly number[]): Promise<ValueHandle>
  releaseValue(value: ValueHandle): void
}
