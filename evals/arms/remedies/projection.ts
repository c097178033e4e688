/** @file The projection of Safe LoRA (Hsu et al. 2024, eq. 1 and 2) on one matrix. */

export interface Projected {
  /** C·ΔW. */
  readonly change: Float32Array
  /** Of C·ΔW and ΔW, as vectors. */
  readonly cosine: number
}

/** V and ΔW `[rows, columns]`, C = V·Vᵀ/‖V‖_F; undefined where V or ΔW is 0. */
export function projectedChange(
  V: Float32Array,
  change: Float32Array,
  rows: number,
): Projected | undefined {
  const columns = V.length / rows
  const norm = Math.sqrt(dot(V, V))
  // C·ΔW = V·(Vᵀ·ΔW)/‖V‖_F, without C: [columns, columns] in the middle.
  const middle = new Float64Array(columns * columns)
  for (let r = 0; r < rows; r++)
    for (let i = 0; i < columns; i++) {
      const v = V[r * columns + i]!
      if (v === 0) continue
      for (let j = 0; j < columns; j++) middle[i * columns + j]! += v * change[r * columns + j]!
    }
  const projected = new Float32Array(change.length)
  const row = new Float64Array(columns)
  for (let r = 0; r < rows; r++) {
    row.fill(0)
    for (let i = 0; i < columns; i++) {
      const v = V[r * columns + i]! / norm
      for (let j = 0; j < columns; j++) row[j]! += v * middle[i * columns + j]!
    }
    projected.set(row, r * columns)
  }
  const lengths = Math.sqrt(dot(projected, projected) * dot(change, change))
  if (!(lengths > 0)) return undefined
  return { change: projected, cosine: dot(projected, change) / lengths }
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}
