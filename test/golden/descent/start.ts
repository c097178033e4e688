/**
 * @file Writes what make.py trains: for each size the start, rows and labels of seeds 0 to 2, as JSON on stdout.
 *
 *     node test/golden/descent/start.ts > START
 */
import { twoLayerStart } from '../../../evals/sweeps/testbeds/digits/digits.ts'
import { digitRows } from '../../../evals/sweeps/testbeds/digits/rows.ts'

/** The first is trained anew by `npm run check`, the second, of the preset's size, by `npm run check:long`. */
const SIZES = [
  { width: 12, samples: 100, labelNoise: 0.2, epochs: 300, learningRate: 0.01 },
  { width: 16, samples: 800, labelNoise: 0.2, epochs: 2000, learningRate: 0.01 },
]
const SEEDS = [0, 1, 2]

const plain = (values: ArrayLike<number>) => Array.from(values)
const sizes = SIZES.map((size) => ({
  ...size,
  seeds: SEEDS.map((seed) => {
    const { train, test } = digitRows(size, seed)
    const tensors = Object.entries(twoLayerStart(size.width, [seed])).map(
      ([name, { data, dims }]) =>
        [name, { shape: dims.slice(1), data: plain(data as Float32Array) }] as const,
    )
    return {
      tensors: Object.fromEntries(tensors),
      train: { x: plain(train.x), labels: train.labels },
      test: { x: plain(test.x), labels: test.labels },
    }
  }),
}))
process.stdout.write(JSON.stringify(sizes))
