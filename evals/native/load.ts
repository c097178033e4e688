/** @file Loads the addon if it is built and current, else the TypeScript fallback. */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import {
  findAddon,
  NATIVE_PACKAGE,
  SOURCES,
  sourcesDigest,
  type Addon,
  type Stamp,
} from './addon.ts'
import { FALLBACK } from './fallback.ts'
import type { Conversions, Numerics } from './numerics.ts'

/** `why` is a clause; `remedy` is null where no action is needed. */
type Loaded =
  | { readonly addon: Addon }
  | { readonly addon?: undefined; readonly why: string; readonly remedy: string | null }

/** An installed Touchstone has no sources to build. */
export const BUILD_REMEDY = existsSync(SOURCES)
  ? 'Run npm run build:native to build it.'
  : `Install ${NATIVE_PACKAGE} beside Touchstone.`
/**
 * `TOUCHSTONE_NATIVE=off` disables the addon, `=baseline` or `=avx2` limits its instruction set: for comparisons and
 * troubleshooting. `=on` is the default.
 */
const SWITCH = 'TOUCHSTONE_NATIVE'

let loaded: Loaded | undefined
let chosen: Numerics | undefined

/** Undefined where the fallback and onnxruntime-node are used. */
export const addon = (): Addon | undefined => load().addon

export const numerics = (): Numerics => (chosen ??= numericsOf(addon()))

export function load(): Loaded {
  return (loaded ??= process.env[SWITCH] === 'off' ? off() : found())
}

const off = (): Loaded => ({ why: `${SWITCH}=off switches it off`, remedy: null })

function found(): Loaded {
  const built = findAddon()
  if (!built) return { why: 'it is not built', remedy: BUILD_REMEDY }
  try {
    const stamp = JSON.parse(readFileSync(built.stamp, 'utf8')) as Stamp
    if (isOutdated(stamp)) return { why: 'it was built from other sources', remedy: BUILD_REMEDY }
    return withInstructions(
      createRequire(import.meta.url)(built.addon) as Addon,
      process.env[SWITCH],
    )
  } catch (error) {
    const [why] = (error as Error).message.split('\n')
    return { why: `it does not load (${why})`, remedy: BUILD_REMEDY }
  }
}

/** Restricts the addon to the instruction set named by the switch, if any. */
export function withInstructions(native: Addon, instructions: string | undefined): Loaded {
  const isFree = !instructions || instructions === 'on'
  if (isFree || native.chooseInstructions(instructions)) return { addon: native }
  const known = native.knownInstructions().join(', ')
  return {
    why: `${SWITCH}=${instructions} names none of the instructions that it has here`,
    remedy: `Set it to off, on or one of: ${known}.`,
  }
}

/** Whether the addon was built from other sources. A package has no sources to compare with. */
export const isOutdated = (
  { sources }: Stamp,
  here: { sources: string | undefined } = { sources: sourcesDigest() },
): boolean => here.sources !== undefined && sources !== here.sources

/** Vector length from which threads pay. */
const WORTH_THREADS = 2 ** 19
const MOST_THREADS = 8
/** Number of multiplications from which calling C++ pays. */
const WORTH_CALLING = 4096

const threadsFor = (length: number): number =>
  length < WORTH_THREADS ? 1 : Math.min(availableParallelism(), MOST_THREADS)

export function numericsOf(native: Addon | undefined): Numerics {
  if (!native) return FALLBACK
  return {
    name: `native, ${native.instructions()}`,
    ...vectorNumerics(native),
    ...productNumerics(native),
    ...decompositionNumerics(native),
  }
}

type VectorName = keyof Conversions | 'squaredNorm' | 'adamW'
type ProductName = 'rowProducts' | 'multiply' | 'addRows' | 'throughWeight'

const vectorNumerics = (native: Addon): Pick<Numerics, VectorName> => ({
  squaredNorm: (values) => native.squaredNorm(values),
  async adamW({ parameters, firstMoment, secondMoment, gradient }, runs, scalars) {
    const vectors = [parameters, firstMoment, secondMoment, gradient] as const
    const { length } = parameters
    requireSize(vectors.every((each) => each.length === length))
    requireSize(runs.every(({ start, end }) => 0 <= start && start <= end && end <= length))
    const { beta1, beta2, epsilon, rootCorrection2, gradientScale } = scalars
    await native.adamW(
      ...vectors,
      Float64Array.from(runs.flatMap((run) => [run.start, run.end, run.keep, run.stepSize])),
      Float64Array.of(beta1, beta2, epsilon, rootCorrection2, gradientScale),
      threadsFor(length),
    )
  },
  widenFloat16: sameLength(native.widenFloat16),
  widenBfloat16: sameLength(native.widenBfloat16),
  narrowFloat16: sameLength(native.narrowFloat16),
  narrowBfloat16: sameLength(native.narrowBfloat16),
})

const productNumerics = (native: Addon): Pick<Numerics, ProductName> => ({
  rowProducts(A, p, B, q, width, half = false) {
    requireSize(A.length >= p * width && B.length >= q * width)
    const out = new Float64Array(p * q)
    native.rowProducts(A, p, B, q, width, half, out)
    return out
  },
  multiply(out, X, x, p) {
    if (p * x.length < WORTH_CALLING) return FALLBACK.multiply(out, X, x, p)
    requireSize(X.length >= p * x.length && out.length >= p)
    native.multiply(X, p, x, x.length, out)
  },
  addRows(x, factor, y, X, count) {
    if (count * x.length < WORTH_CALLING) return FALLBACK.addRows(x, factor, y, X, count)
    requireSize(X.length >= count * x.length && y.length >= count)
    native.addRows(x, x.length, factor, y, X, count)
  },
  throughWeight(Y, r, W, m, n, transposed) {
    const isShort = r * m * n < WORTH_CALLING
    if (isShort || W instanceof Float64Array)
      return FALLBACK.throughWeight(Y, r, W, m, n, transposed)
    requireSize(W.length >= m * n && Y.length >= r * (transposed ? n : m))
    const out = new Float64Array(r * (transposed ? m : n))
    native.throughWeight(Y, r, W, m, n, transposed, out)
    return out
  },
})

const decompositionNumerics = (
  native: Addon,
): Omit<Numerics, 'name' | VectorName | ProductName> => ({
  orthogonalise(x, basis, count) {
    requireSize(basis.length >= count * x.length)
    return native.orthogonalise(x, x.length, basis, count)
  },
  tridiagonalValues({ diagonal, off }, bound, k, from) {
    requireSize(diagonal.length === off.length && from < k && k <= off.length)
    const out = new Float64Array(k - from)
    native.tridiagonalValues(diagonal, off, off.length, bound, from, k, out)
    return out
  },
  symmetricEigen(G, p) {
    requireSize(G.length === p * p)
    const [values, vectors] = [new Float64Array(p), new Float64Array(p * p)]
    const converged = native.symmetricEigen(G, p, values, vectors)
    return converged ? { values, vectors } : FALLBACK.symmetricEigen(G, p)
  },
})

const sameLength =
  <A extends ArrayLike<number>, B extends ArrayLike<number>>(convert: (from: A, out: B) => void) =>
  (from: A, out: B): void => {
    requireSize(from.length === out.length)
    convert(from, out)
  }

function requireSize(fits: boolean): void {
  if (!fits) throw new Error('internal: a vector has another length than its shape says')
}
