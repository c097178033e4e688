/**
 * @file Writes what make.py trains: for each size the start, rows and labels of seeds 0 to 2, as JSON on stdout.
 *
 *     node test/golden/descent/start.ts digits > START
 *     node test/golden/descent/start.ts digits-transformer > START
 *     node test/golden/descent/start.ts digits-transformer-lora > START
 */
import { transformerStart } from '../../../evals/sweeps/testbeds/digits/digits-transformer.ts'
import {
  adaptedTransformers,
  digitsTransformerLora,
} from '../../../evals/sweeps/testbeds/digits/digits-transformer-lora.ts'
import { twoLayerStart } from '../../../evals/sweeps/testbeds/digits/digits.ts'
import { digitRows, type Rows } from '../../../evals/sweeps/testbeds/digits/rows.ts'
import type { Tensors } from '../../../evals/sweeps/testbeds/digits/side-by-side.ts'

/** Adapters are put on bases that were trained ten seeds at a time: the first three of a block are kept. */
const SEEDS = [0, 1, 2]
const BLOCK = Array.from({ length: 10 }, (_, seed) => seed)

interface Size {
  readonly width: number
  readonly rank?: number
  readonly samples: number
  readonly labelNoise: number
  readonly epochs: number
  readonly learningRate: number
}

/** Of each seed: tensors `[seeds, ...]`, and rows. */
interface Started {
  readonly tensors: Tensors
  readonly rows: readonly Rows[]
  readonly test: readonly Rows[]
}

const fresh =
  (start: (width: number, seeds: readonly number[]) => Tensors) =>
  (size: Size): Promise<Started> => {
    const rows = SEEDS.map((seed) => digitRows(size, seed))
    return Promise.resolve({
      tensors: start(size.width, SEEDS),
      rows: rows.map(({ train }) => train),
      test: rows.map(({ test }) => test),
    })
  }

async function adapted(size: Size): Promise<Started> {
  const config = digitsTransformerLora.config.parse(size)
  const { start, test } = await adaptedTransformers(config, BLOCK, new AbortController().signal)
  return { ...start, test }
}

/**
 * The first is trained anew by `npm run check`, those of a preset's size by `npm run check:long`. Where Adam's rate is 0.01 and every
 * row is nearly fitted, PyTorch in float32 and in float64 come to test errors two or three points apart after 500 steps, so that such
 * trainings are shorter here, or slower.
 */
const NETWORKS = {
  digits: {
    start: fresh(twoLayerStart),
    sizes: [
      { width: 12, samples: 100, labelNoise: 0.2, epochs: 300, learningRate: 0.01 },
      { width: 16, samples: 800, labelNoise: 0.2, epochs: 2000, learningRate: 0.01 },
    ],
  },
  'digits-transformer': {
    start: fresh(transformerStart),
    sizes: [
      { width: 4, samples: 60, labelNoise: 0.2, epochs: 60, learningRate: 0.01 },
      { width: 6, samples: 400, labelNoise: 0.2, epochs: 500, learningRate: 0.003 },
    ],
  },
  'digits-transformer-lora': {
    start: adapted,
    sizes: [
      { width: 8, rank: 2, samples: 60, labelNoise: 0.2, epochs: 60, learningRate: 0.01 },
      { width: 16, rank: 2, samples: 300, labelNoise: 0.2, epochs: 500, learningRate: 0.003 },
      { width: 16, rank: 4, samples: 300, labelNoise: 0.2, epochs: 150, learningRate: 0.01 },
    ],
  },
}
const name = process.argv[2] as keyof typeof NETWORKS
const { start, sizes: all } = NETWORKS[name]

const plain = (values: ArrayLike<number>) => Array.from(values)
async function written(size: Size) {
  const { tensors, rows, test } = await start(size)
  return {
    ...size,
    seeds: SEEDS.map((seed) => {
      const own = Object.entries(tensors).map(([tensor, { data, dims }]) => {
        const count = data.length / dims[0]!
        const values = (data as Float32Array).subarray(seed * count, (seed + 1) * count)
        return [tensor, { shape: dims.slice(1), data: plain(values) }] as const
      })
      const [train, clean] = [rows[seed]!, test[seed]!]
      return {
        tensors: Object.fromEntries(own),
        train: { x: plain(train.x), labels: train.labels },
        test: { x: plain(clean.x), labels: clean.labels },
      }
    }),
  }
}
const sizes = []
for (const size of all) sizes.push(await written(size))
process.stdout.write(JSON.stringify({ network: name, sizes }))
