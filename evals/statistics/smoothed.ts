/** @file Smooths a curve by its bias-corrected exponential mean: m ← 0.9 m + 0.1 x, s = m / (1 − 0.9^t). */

const DECAY = 0.9

export function smoothed(values: readonly number[]): Float64Array {
  let [mean, weight] = [0, 1]
  return Float64Array.from(values, (value) => {
    mean = DECAY * mean + (1 - DECAY) * value
    weight *= DECAY
    return mean / (1 - weight)
  })
}
