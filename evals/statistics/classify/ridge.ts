/** @file Ridge regression in closed form: w = (XᵀX + λI)⁻¹Xᵀy on centred columns, the intercept not penalised. */

/** A function that predicts y of a row. */
export function fitRidge(
  rows: readonly (readonly number[])[],
  y: readonly number[],
  λ: number,
): (x: readonly number[]) => number {
  const width = rows[0]!.length
  const mean = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / values.length
  const centre = Array.from({ length: width }, (_, j) => mean(rows.map((row) => row[j]!)))
  const level = mean(y)
  const system = Array.from({ length: width }, () => new Array<number>(width + 1).fill(0))
  rows.forEach((row, i) => {
    for (let a = 0; a < width; a++) {
      const x = row[a]! - centre[a]!
      for (let b = 0; b < width; b++) system[a]![b]! += x * (row[b]! - centre[b]!)
      system[a]![width]! += x * (y[i]! - level)
    }
  })
  for (let a = 0; a < width; a++) system[a]![a]! += λ
  const w = solved(system)
  return (x) => level + x.reduce((sum, v, j) => sum + w[j]! * (v - centre[j]!), 0)
}

/** Gauss–Jordan elimination with the largest pivot; the last column is the right-hand side, and the matrix is changed. */
function solved(system: number[][]): number[] {
  const width = system.length
  for (let k = 0; k < width; k++) {
    const sizes = system.map((row, i) => (i < k ? -1 : Math.abs(row[k]!)))
    const pivot = sizes.indexOf(Math.max(...sizes))
    const row = system[pivot]!
    system[pivot] = system[k]!
    system[k] = row
    for (let i = 0; i < width; i++) {
      if (i === k) continue
      const factor = system[i]![k]! / row[k]!
      for (let j = k; j <= width; j++) system[i]![j]! -= factor * row[j]!
    }
  }
  return system.map((row, k) => row[width]! / row[k]!)
}
