/**
 * @file Tests whether this processor's kernel sums int8 products exactly. On x86-64 without VNNI and AMX, ONNX Runtime adds
 * pairs of u8·s8 in 16 bits (VPMADDUBSW), which saturate silently. The test multiplies values whose pairs overflow.
 */
import { createGraph } from '../graph/ops/index.ts'
import { LEVELS } from '../graph/ops/int8-product.ts'
import { createRunner } from './session.ts'

const COLUMNS = 256
const OUT = 32
/** One row uses another kernel than several. */
const ROWS = [1, 17]
/** In float32, with x = 1, so that each step is 1/127, and W = ±127. */
const EXPECTED = Math.fround(LEVELS * LEVELS * COLUMNS * Math.fround(1 / LEVELS))

async function test(): Promise<boolean> {
  const g = createGraph()
  const W = g.stored('W', [OUT, COLUMNS], 'product:int8')
  const y = g.matMulT(g.input('x', 'float32', ['rows', COLUMNS]), W)
  const device = { name: 'cpu', threads: 1 } as const
  const runner = await createRunner(g, { y }, { device, purpose: 'train' })
  const data = Int8Array.from({ length: OUT * COLUMNS }, (_, i) => LEVELS * signOf(i))
  const weight = { W: { data, dims: [OUT, COLUMNS] } }
  const scales = { 'W:scale': { data: new Float32Array(OUT).fill(1), dims: [OUT] } }
  try {
    for (const rows of ROWS) {
      const x = { data: new Float32Array(rows * COLUMNS).fill(1), dims: [rows, COLUMNS] }
      const found = await runner.run({ x, ...weight, ...scales })
      const isExact = (value: number, i: number) => value === EXPECTED * signOf((i % OUT) * COLUMNS)
      if (!(found.y!.data as Float32Array).every(isExact)) return false
    }
    return true
  } finally {
    await runner.release()
  }
}

/** Alternate rows of W are negative. */
const signOf = (place: number) => (Math.floor(place / COLUMNS) % 2 === 0 ? 1 : -1)

let known: Promise<boolean> | undefined

/** Cached for the process. */
export const sumsExactly = (): Promise<boolean> => (known ??= test())
