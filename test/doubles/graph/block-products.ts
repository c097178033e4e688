/** @file Random matrices in ggml's blocks, and products with them as an operator of a graph computes them. */
import { createGraph } from '../../../evals/graph/ops/index.ts'
import { BLOCK_FORMS, type BlockName } from '../../../evals/graph/storage/blocks.ts'
import { createRunner } from '../../../evals/runtime/session.ts'
import { randomStream } from '../../../evals/statistics/random.ts'

const device = { name: 'cpu', threads: 2 } as const

/** Where float16 scales stand in a block. */
export const HALVES_AT: Readonly<Record<BlockName, readonly number[]>> = {
  Q4_0: [0],
  Q4_1: [0, 2],
  Q5_0: [0],
  Q5_1: [0, 2],
  Q8_0: [0],
  Q4_K: [0, 2],
  Q5_K: [0, 2],
  Q6_K: [208],
}

/** Of float16: ±0, the smallest and largest of both signs, infinities, no number. */
const ODD_HALVES = [0x0000, 0x8000, 0x0001, 0x83ff, 0x7bff, 0xfbff, 0x7c00, 0xfc00, 0x7e01]

export function blocksFrom(seed: number) {
  const stream = randomStream(seed, 'blocks')
  /** Any codes, with scales of about 0.01. */
  function randomBlocks(name: BlockName, count: number): Uint8Array {
    const { numbers, bytes: size } = BLOCK_FORMS[name]
    const bytes = Uint8Array.from({ length: (count / numbers) * size }, () => stream.integer(256))
    for (let block = 0; block < bytes.length; block += size)
      for (const at of HALVES_AT[name]) bytes[block + at + 1] = 0x20 | (stream.integer(2) << 7)
    return bytes
  }
  /** A row of one block for each scale that is zero, tiny, huge or no number. */
  function oddBlocks(name: BlockName) {
    const { numbers, bytes: size } = BLOCK_FORMS[name]
    const bytes = randomBlocks(name, ODD_HALVES.length * numbers)
    for (const [i, half] of ODD_HALVES.entries())
      for (const at of HALVES_AT[name]) bytes.set([half & 255, half >> 8], i * size + at)
    return { halves: ODD_HALVES, numbers, bytes }
  }
  return { stream, randomBlocks, oddBlocks }
}

/** @param picked rows of the matrix that are looked up */
export async function ran(
  name: BlockName,
  [rows, columns]: readonly [number, number],
  bytes: Uint8Array,
  x: Float32Array,
  picked: readonly number[] = [0],
  isRounded = false,
) {
  const g = createGraph()
  const W = g.stored('W', [rows, columns], isRounded ? `product:${name}` : name)
  const given = g.input('x', 'float32', ['count', columns])
  const outputs = {
    y: g.matMulT(given, W),
    table: g.gatherRows(W, g.input('picked', 'int32', ['picked'])),
  }
  const frozen = new Map([['W', bytes]])
  const runner = await createRunner(g, outputs, { device, purpose: 'generate', frozen })
  const { y, table } = await runner.run({
    x: { data: x, dims: [x.length / columns, columns] },
    picked: { data: Int32Array.from(picked), dims: [picked.length] },
  })
  await runner.release()
  return { y: y!.data as Float32Array, table: table!.data as Float32Array }
}
