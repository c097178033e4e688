/**
 * @file Writes what make.py trains: for each size the start, rows and labels of seeds 0 to 2, as JSON on stdout.
 *
 *     node test/golden/descent/start.ts digits > START
 *     node test/golden/descent/start.ts digits-transformer > START
 */
import { transformerStart } from '../../../evals/sweeps/testbeds/digits/digits-transformer.ts'
import { twoLayerStart } from '../../../evals/sweeps/testbeds/digits/digits.ts'
import { digitRows } from '../../../evals/sweeps/testbeds/digits/rows.ts'

/** The first is trained anew by `npm run check`, the second, of the preset's size, by `npm run check:long`. */
const NETWORKS = {
  digits: {
    start: twoLayerStart,
    sizes: [
      { width: 12, samples: 100, labelNoise: 0.2, epochs: 300, learningRate: 0.01 },
      { width: 16, samples: 800, labelNoise: 0.2, epochs: 2000, learningRate: 0.01 },
    ],
  },
  'digits-transformer': {
    start: transformerStart,
    sizes: [
      { width: 4, samples: 60, labelNoise: 0.2, epochs: 60, learningRate: 0.01 },
      { width: 6, samples: 400, labelNoise: 0.2, epochs: 500, learningRate: 0.01 },
    ],
  },
}
const name = process.argv[2] as keyof typeof NETWORKS
const { start, sizes: all } = NETWORKS[name]
const SEEDS = [0, 1, 2]

const plain = (values: ArrayLike<number>) => Array.from(values)
const sizes = all.map((size) => ({
  ...size,
  seeds: SEEDS.map((seed) => {
    const { train, test } = digitRows(size, seed)
    const tensors = Object.entries(start(size.width, [seed])).map(
      ([tensor, { data, dims }]) =>
        [tensor, { shape: dims.slice(1), data: plain(data as Float32Array) }] as const,
    )
    return {
      tensors: Object.fromEntries(tensors),
      train: { x: plain(train.x), labels: train.labels },
      test: { x: plain(test.x), labels: test.labels },
    }
  }),
}))
process.stdout.write(JSON.stringify({ network: name, sizes }))
