/** @file The laws of the addon: what it does is what TypeScript does, to the bit where that is promised, else to rounding. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { FALLBACK } from '../../evals/native/fallback.ts'
import { load, numericsOf } from '../../evals/native/load.ts'
import type { AdamWVectors } from '../../evals/native/numerics.ts'
import { fillNormal, randomStream } from '../../evals/statistics/random.ts'

const found = load()
const title = found.addon
  ? 'the addon'
  : `the addon (skipped: ${found.why}; npm run build:native, which needs a C++ compiler)`
const known = found.addon?.knownInstructions() ?? []
let NATIVE = numericsOf(found.addon)

const normals32 = (length: number, label: string) =>
  fillNormal(new Float32Array(length), randomStream(1, label))
const normals = (length: number, label: string) =>
  fillNormal(new Float64Array(length), randomStream(1, label))

const LOADER = join(import.meta.dirname, '../../evals/native/load.ts')
/** Beyond one thread's worth, with an odd end. */
const LONG = 2 ** 20 + 13

describe.skipIf(!found.addon)(title, () => {
  test('is another implementation than the one it is held to', () => {
    expect(NATIVE.name).toMatch(/^native/)
    expect(NATIVE.name).not.toBe(FALLBACK.name)
  })

  test('has instructions for every processor, the quickest first, and no others are chosen', () => {
    const native = found.addon!
    expect(known.at(-1)).toBe(process.arch === 'x64' ? 'baseline' : 'neon')
    expect(native.chooseInstructions('abacus')).toBe(false)
    expect(known).toContain(native.instructions())
  })

  test.each([...known, undefined, 'abacus'])('TOUCHSTONE_NATIVE=%s is obeyed', (instructions) => {
    const env = { ...process.env }
    delete env['TOUCHSTONE_NATIVE']
    const script = `const { load } = await import(${JSON.stringify(LOADER)})
      const { addon, why } = load()
      process.stdout.write(addon ? addon.instructions() : why)`
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      env: instructions === undefined ? env : { ...env, TOUCHSTONE_NATIVE: instructions },
    })
    if (instructions === 'abacus') expect(stdout).toContain('TOUCHSTONE_NATIVE=abacus')
    else expect(stdout).toBe(instructions ?? known[0])
  })
})

describe.each(known)(`${title}, with %s`, (instructions) => {
  beforeAll(() => {
    expect(found.addon!.chooseInstructions(instructions)).toBe(true)
    NATIVE = numericsOf(found.addon)
    expect(NATIVE.name).toBe(`native, ${instructions}`)
  })

  test.each([0, 1, 9, LONG])('the squared norm of %i numbers has the same bits', async (length) => {
    const values = normals32(length, 'norm')
    expect(await NATIVE.squaredNorm(values)).toBe(await FALLBACK.squaredNorm(values))
  })

  test('a norm that is not finite is seen', async () => {
    const values = normals32(1000, 'norm')
    values[777] = NaN
    expect(await NATIVE.squaredNorm(values)).toBeNaN()
    values[777] = -Infinity
    expect(await NATIVE.squaredNorm(values)).toBe(Infinity)
  })

  test.each([1, 17, 5000, LONG])(
    'AdamW over %i numbers has the same bits, and leaves what is in no run',
    async (length) => {
      const [ours, theirs] = [vectors(length), vectors(length)]
      const middle = Math.floor(length / 2)
      const runs = [
        { start: 0, end: Math.floor(length / 3), keep: 0.999, stepSize: 1e-3 },
        { start: middle, end: length, keep: 1, stepSize: 3e-2 },
      ]
      const scalars = {
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        rootCorrection2: Math.sqrt(1 - 0.999 ** 3),
        gradientScale: 0.37,
      }
      for (let step = 0; step < 3; step++) {
        await NATIVE.adamW(ours, runs, scalars)
        await FALLBACK.adamW(theirs, runs, scalars)
      }
      expect(bitsOf(ours)).toEqual(bitsOf(theirs))
      const untouched = vectors(length)
      const between = (given: AdamWVectors) =>
        given.parameters.slice(Math.floor(length / 3), middle)
      expect(between(ours)).toEqual(between(untouched))
      expect(ours.gradient).toEqual(untouched.gradient)
    },
  )

  test('vectors of unequal length are refused', async () => {
    const short = { ...vectors(8), gradient: new Float32Array(7) }
    const run = { start: 0, end: 8, keep: 1, stepSize: 1 }
    const scalars = { beta1: 0, beta2: 0, epsilon: 1, rootCorrection2: 1, gradientScale: 1 }
    await expect(NATIVE.adamW(short, [run], scalars)).rejects.toThrow('internal')
    await expect(NATIVE.adamW(vectors(8), [{ ...run, end: 9 }], scalars)).rejects.toThrow(
      'internal',
    )
  })

  test('all 65,536 sixteen-bit floats widen to the same bits, NaN among them', () => {
    const every = Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits)
    for (const form of ['widenFloat16', 'widenBfloat16'] as const) {
      const [ours, theirs] = [NATIVE, FALLBACK].map((each) => {
        const out = new Float32Array(every.length)
        each[form](every, out)
        return new Uint32Array(out.buffer)
      })
      expect(ours).toEqual(theirs)
    }
    expect(() => NATIVE.widenFloat16(every, new Float32Array(1))).toThrow('internal')
  })

  test('float32 narrows to the same bits: ties, subnormals, the largest, and back', () => {
    const halves = Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits)
    for (const form of ['Float16', 'Bfloat16'] as const) {
      const wide = new Float32Array(halves.length)
      FALLBACK[`widen${form}`](halves, wide)
      const known = wide.filter(Number.isFinite)
      // Halfway to the next one and a little to both sides of that; random numbers of every size.
      const between = known.map((x, i) => (x + known[i ^ 1]!) / 2)
      const near = [1 - 2 ** -22, 1, 1 + 2 ** -22].flatMap((f) => [...between.map((x) => x * f)])
      const random = normals32(20_000, form).map((x, i) => x * 2 ** ((i % 30) - 15))
      const values = Float32Array.from([...known, ...near, ...random])
      const [ours, theirs] = [NATIVE, FALLBACK].map((each) => {
        const out = new Uint16Array(values.length)
        each[`narrow${form}`](values, out)
        return out
      })
      expect(ours).toEqual(theirs)
      const back = new Float32Array(halves.length)
      NATIVE[`widen${form}`](ours!.slice(0, halves.length), back)
      expect(back.subarray(0, known.length)).toEqual(known)
    }
  })

  test.each([
    [1, 1, 1],
    [3, 5, 7],
    [8, 192, 576],
    [130, 66, 300],
  ])('products of %i and %i rows of %i are equal to rounding', (p, q, width) => {
    const [A, B] = [normals(p * width, 'A'), normals(q * width, 'B')]
    const [ours, theirs] = [NATIVE, FALLBACK].map((each) => each.rowProducts(A, p, B, q, width))
    expectToRounding(ours!, theirs!, width)
    const [left, right] = [NATIVE, FALLBACK].map((each) =>
      lowerHalf(each.rowProducts(A, p, A, p, width, true), p),
    )
    expectToRounding(left!, right!, width)
  })

  test.each([
    [1, 3],
    [5, 40],
    [66, 131],
    [576, 192],
  ])(
    'products of %i × %i with vectors are equal to rounding, and touch nothing beyond',
    (p, width) => {
      const X = normals((p + 1) * width, 'X')
      const [x, y] = [normals(width, 'x'), normals(p + 1, 'y')]
      const [[a, b], [c, d]] = [NATIVE, FALLBACK].map((each) => {
        const [out, sums] = [new Float64Array(p + 1).fill(7), x.slice()]
        each.multiply(out, X, x, p)
        each.addRows(sums, -0.3, y, X, p)
        return [out, sums] as const
      }) as [[Float64Array, Float64Array], [Float64Array, Float64Array]]
      expectToRounding(a, c, width)
      expectToRounding(b, d, p)
      expect(a[p]).toBe(7)
    },
  )

  test.each([
    [1, 5, 3],
    [3, 40, 100],
    [8, 70, 131],
    [9, 131, 70],
  ])('%i rows through a weight [%i, %i] are equal to rounding, both ways', (r, m, n) => {
    const W = normals32(m * n, 'W')
    for (const transposed of [false, true]) {
      const Y = normals(r * (transposed ? n : m), 'Y')
      const [ours, theirs] = [NATIVE, FALLBACK].map((each) =>
        each.throughWeight(Y, r, W, m, n, transposed),
      )
      // And what TypeScript does is the product.
      const turned = transposed ? Float64Array.from(W) : transpose(W, m, n)
      const product = FALLBACK.rowProducts(Y, r, turned, transposed ? m : n, transposed ? n : m)
      expectToRounding(ours!, theirs!, Math.max(m, n))
      expectToRounding(theirs!, product, Math.max(m, n))
    }
  })

  test.each([
    [0, 9],
    [1, 2],
    [7, 30],
    [40, 576],
  ])('%i rows are taken out of a vector of %i, and it is made a unit vector', (count, width) => {
    const basis = new Float64Array(count * width)
    for (let i = 0; i < count; i++) {
      const row = normals(width, `row ${i}`)
      FALLBACK.orthogonalise(row, basis, i)
      basis.set(row, i * width)
    }
    const given = normals(width, 'x').map((x) => 3 * x)
    const [ours, theirs] = [NATIVE, FALLBACK].map((each) => {
      const x = given.slice()
      return { length: each.orthogonalise(x, basis, count), x }
    })
    expect(Math.abs(ours!.length - theirs!.length)).toBeLessThan(1e-14 * width)
    expect(largestDifference(ours!.x, theirs!.x)).toBeLessThan(1e-14 * width)
    const shares = new Float64Array(count)
    FALLBACK.multiply(shares, basis, ours!.x, count)
    expect(Math.max(0, ...shares.map(Math.abs))).toBeLessThan(1e-14)
    expect(FALLBACK.rowProducts(ours!.x, 1, ours!.x, 1, width)[0]).toBeCloseTo(1, 13)
  })

  test.each([
    [1, 0, 1],
    [2, 0, 2],
    [74, 9, 10],
    [92, 0, 11],
    [300, 0, 30],
  ])(
    'eigenvalues of a tridiagonal matrix of %i rows, from %i to %i, are equal to rounding',
    (p, from, k) => {
      const off = normals(p, 'off').fill(0, 0, 1)
      // With a gap in the middle, so that some come in pairs, and as Golub and Kahan's with nothing on the diagonal.
      if (p > 10) off.copyWithin(p / 2 + 1, 1, p / 2).fill(0, p / 2, p / 2 + 1)
      for (const diagonal of [normals(p, 'diagonal'), new Float64Array(p)]) {
        const bound = 3 * Math.max(...[...diagonal, ...off].map(Math.abs), 1)
        const [ours, theirs] = [NATIVE, FALLBACK].map((each) =>
          each.tridiagonalValues({ diagonal, off }, bound, k, from),
        )
        expect(largestDifference(ours!, theirs!)).toBeLessThan(8 * Number.EPSILON * bound)
      }
    },
  )

  test.each(Object.entries(SYMMETRIC()))('%s is decomposed as well', (_, { G, p }) => {
    const size = Math.max(...FALLBACK.symmetricEigen(G, p).values.map(Math.abs))
    const bound = 1e-15 * 10 * p
    const values = [NATIVE, FALLBACK].map((each) => {
      const { values: λ, vectors: R } = each.symmetricEigen(G, p)
      expect(λ).toEqual(λ.toSorted().reverse())
      expect(errorOfTurn(R, p), `${each.name} is orthonormal`).toBeLessThan(bound)
      expect(residual(G, λ, R, p), `${each.name} solves`).toBeLessThan(bound * (size || 1))
      return λ
    })
    expect(largestDifference(values[0]!, values[1]!)).toBeLessThan(bound * (size || 1))
  })
})

describe.each(known)(`${title}, with %s, by division in two`, (instructions) => {
  beforeAll(() => {
    expect(found.addon!.chooseInstructions(instructions)).toBe(true)
    NATIVE = numericsOf(found.addon)
  })

  test.each(Object.entries(LARGE_SYMMETRIC()))('%s is decomposed', (_, { G, p }) => {
    const { values: λ, vectors: R } = NATIVE.symmetricEigen(G, p)
    const size = Math.max(Math.abs(λ[0]!), Math.abs(λ[p - 1]!))
    const bound = 1e-15 * p
    expect(λ).toEqual(λ.toSorted().reverse())
    expect(errorOfTurn(R, p), 'orthonormal').toBeLessThan(bound)
    expect(residual(G, λ, R, p), 'solved').toBeLessThanOrEqual(bound * size)
  })

  test('what is not finite is left to the specification', () => {
    const G = LARGE_SYMMETRIC()['the identity']!.G.fill(NaN, 0, 1)
    expect(
      found.addon!.symmetricEigen(G, 150, new Float64Array(150), new Float64Array(22500)),
    ).toBe(false)
  })
})

function vectors(length: number): AdamWVectors {
  return {
    parameters: normals32(length, 'parameters'),
    firstMoment: normals32(length, 'first'),
    secondMoment: normals32(length, 'second').map((x) => x * x),
    gradient: normals32(length, 'gradient'),
  }
}

const bitsOf = ({ parameters, firstMoment, secondMoment }: AdamWVectors) =>
  [parameters, firstMoment, secondMoment].map(({ buffer }) =>
    Buffer.from(buffer).toString('latin1'),
  )

const largestDifference = (A: Float64Array, B: Float64Array): number =>
  A.reduce((most, x, i) => Math.max(most, Math.abs(x - B[i]!)), 0)

/** Of sums of so many products of normal numbers. */
function expectToRounding(ours: Float64Array, theirs: Float64Array, terms: number): void {
  expect(largestDifference(ours, theirs)).toBeLessThan(1e-15 * terms * 20)
}

function transpose(W: Float32Array, m: number, n: number): Float64Array {
  return Float64Array.from({ length: m * n }, (_, at) => W[(at % m) * n + Math.floor(at / m)]!)
}

const lowerHalf = (X: Float64Array, p: number) =>
  X.map((x, at) => (at % p <= Math.floor(at / p) ? x : 0))

interface Square {
  readonly G: Float64Array
  readonly p: number
}

const square = (p: number, at: (i: number, j: number) => number): Square => ({
  G: Float64Array.from({ length: p * p }, (_, k) => at(Math.floor(k / p), k % p)),
  p,
})

/** X·diag(weight²)·Xᵀ of normal X `[p, width]`. */
function gramOf(p: number, width: number, weight: (t: number) => number): Square {
  const X = normals(p * width, 'gram').map((x, k) => x * weight(k % width))
  return { G: FALLBACK.rowProducts(X, p, X, p, width), p }
}

/** Those that a division in two finds hard: values in clusters, pairs alike to the last digits, nothing to divide. */
function LARGE_SYMMETRIC(): Record<string, Square> {
  const symmetric = normals(301 * 301, 'indefinite')
  const indefinite = square(301, (i, j) => symmetric[i * 301 + j]! + symmetric[j * 301 + i]!)
  const scaled = ({ G, p }: Square, factor: number) => ({ G: G.map((x) => x * factor), p })
  // A reflection of a diagonal: its values to the last digits, its vectors full.
  const turned = (p: number, value: (i: number) => number) =>
    square(p, (i, j) => {
      const [a, b, mean] = [value(i), value(j), 2 / p]
      const sum = Array.from({ length: p }, (_, t) => value(t)).reduce((x, y) => x + y)
      return (i === j ? a : 0) - mean * (a + b) + mean * mean * sum
    })
  return {
    'the identity': square(150, (i, j) => (i === j ? 1 : 0)),
    zero: square(140, () => 0),
    ones: square(200, () => 1),
    'an indefinite matrix': indefinite,
    'an indefinite matrix, tiny': scaled(indefinite, 1e-200),
    'an indefinite matrix, huge': scaled(indefinite, 1e150),
    'a Gram matrix': gramOf(257, 400, (t) => (t + 1) ** -0.5),
    'a Gram matrix of low rank': gramOf(256, 5, () => 1),
    'a Gram matrix over sixteen orders of magnitude': gramOf(190, 190, (t) => 10 ** (-t / 24)),
    'values in three clusters': turned(200, (i) => (i % 3) + 1e-13 * i),
    'values in pairs': turned(180, (i) => Math.floor(i / 2)),
    // Wilkinson's: its largest values come in pairs that are alike to the last digits.
    'a tridiagonal matrix': square(241, (i, j) =>
      i === j ? Math.abs(i - 120) : Math.abs(i - j) === 1 ? 1 : 0,
    ),
  }
}

/** Symmetric matrices that are hard in different ways. */
function SYMMETRIC(): Record<string, Square> {
  const symmetric = normals(40 * 40, 'indefinite')
  return {
    'one number': square(1, () => -3),
    zero: square(6, () => 0),
    'the identity': square(17, (i, j) => (i === j ? 1 : 0)),
    'a diagonal of pairs': square(20, (i, j) => (i === j ? Math.floor(i / 2) : 0)),
    'an indefinite matrix': square(40, (i, j) => symmetric[i * 40 + j]! + symmetric[j * 40 + i]!),
    'a Gram matrix': gramOf(130, 200, (t) => (t + 1) ** -0.5),
    'a Gram matrix of low rank': gramOf(65, 5, () => 1),
    'a Gram matrix over sixteen orders of magnitude': gramOf(64, 64, (t) => 10 ** (-t / 8)),
  }
}

/** max |R Rᵀ − I|. */
function errorOfTurn(R: Float64Array, p: number): number {
  const products = FALLBACK.rowProducts(R, p, R, p, p)
  return products.reduce(
    (most, x, k) => Math.max(most, Math.abs(x - (Math.floor(k / p) === k % p ? 1 : 0))),
    0,
  )
}

/** max |R G − diag(λ) R|. */
function residual(G: Float64Array, λ: Float64Array, R: Float64Array, p: number) {
  const turned = FALLBACK.rowProducts(R, p, G, p, p)
  return turned.reduce(
    (most, x, k) => Math.max(most, Math.abs(x - λ[Math.floor(k / p)]! * R[k]!)),
    0,
  )
}
