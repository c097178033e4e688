/** @file Where the addon lies, what it was built from, and what it offers. `native/build.ts` makes it; load.ts loads it. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import type { Conversions } from './numerics.ts'

const FOLDER = join(import.meta.dirname, '..', '..', 'native')
export const SOURCES = join(FOLDER, 'src')
const BUILT = join(FOLDER, 'build', `${process.platform}-${process.arch}`)
export const ADDON = `${BUILT}.node`
export const STAMP = `${BUILT}.json`

/** Written beside the addon. It is compiled for the processor that it was built on, so another one may not know its instructions. */
export interface Stamp {
  readonly sources: string
  readonly processor: string
}

export const thisProcessor = (): string => cpus()[0]?.model.trim() ?? 'unknown'

/** sha256 over names and text of the C++ sources; undefined where they are not shipped. */
export function sourcesDigest(): string | undefined {
  let names: string[]
  try {
    names = readdirSync(SOURCES).sort()
  } catch {
    return undefined
  }
  const hash = createHash('sha256')
  for (const name of names) hash.update(`${name}\n`).update(readFileSync(join(SOURCES, name)))
  return hash.digest('hex')
}

/** Memory that ONNX Runtime reads or writes where it lies. `type` is the number by which ONNX knows the dtype. */
export interface BoundTensor {
  readonly name: string
  readonly type: number
  readonly dims: readonly number[]
  readonly data: Uint8Array<ArrayBuffer>
}

export interface FreshTensor extends Omit<BoundTensor, 'data'> {
  readonly data: ArrayBuffer
}

export interface SessionSettings {
  readonly threads: number
  /** The graph rewritten, matrices packed and memory planned: for a graph that is run often without change. */
  readonly optimised: boolean
  /** Whether memory is kept from run to run. */
  readonly arena: boolean
  /** Initialisers that the model names and does not hold; copied while it is opened. */
  readonly weights: readonly { readonly name: string; readonly data: Uint8Array }[]
}

declare const session: unique symbol
/** A session of C++'s; its memory goes with the last run after `releaseSession`. */
export interface SessionHandle {
  readonly [session]: true
}

/** What C++ exports. It trusts its arguments: numerics in load.ts, and evals/runtime, are its only callers. */
export interface Addon extends Conversions {
  /** Instructions it was compiled for. */
  readonly instructions: string
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
  /** Into `values` `[p]`, descending, and `vectors` `[p, p]`, a row each; false where it did not converge. */
  symmetricEigen(G: Float64Array, p: number, values: Float64Array, vectors: Float64Array): boolean
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
}
