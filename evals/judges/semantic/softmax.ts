/** @file Softmax in place. */
export function softmax(values: number[]): void {
  const most = Math.max(...values)
  const powers = values.map((value) => Math.exp(value - most))
  const total = powers.reduce((sum, power) => sum + power, 0)
  powers.forEach((power, i) => (values[i] = power / total))
}
