/** @file The matrices of a spectra bench in one file for the peer: a JSON line of shapes, then W0, B and A of each as float32. */
import { open } from 'node:fs/promises'
import type { MatrixPlace } from '../../../evals/spectra/compare.ts'

interface ChangedMatrices {
  readonly base: ReadonlyMap<string, Float32Array>
  readonly change: ReadonlyMap<
    string,
    { readonly A: Float32Array; readonly B: Float32Array; readonly scale: number }
  >
}

export async function matrixFile(
  path: string,
  places: readonly MatrixPlace[],
  { base, change }: ChangedMatrices,
): Promise<void> {
  const file = await open(path, 'w')
  try {
    const scale = change.get(places[0]!.weight)!.scale
    await file.write(`${JSON.stringify({ shapes: places.map(({ shape }) => shape), scale })}\n`)
    for (const { weight } of places) {
      const { A, B } = change.get(weight)!
      for (const part of [base.get(weight)!, B, A]) {
        await file.write(new Uint8Array(part.buffer, part.byteOffset, part.byteLength))
      }
    }
  } finally {
    await file.close()
  }
}
