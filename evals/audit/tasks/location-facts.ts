/** @file What is known of the tasks of places without loading their data. */
import { ENCODING_NAMES } from '../../models/location/encodings.ts'
import { PLACE_NETWORKS } from '../../models/location/place-network.ts'
import type { TaskFacts } from './task.ts'
import { NO_DECODER } from './unfit.ts'

/** Every encoding with every network. */
const BASES = ENCODING_NAMES.flatMap((encoding) =>
  PLACE_NETWORKS.map((network) => `${encoding}/${network}`),
)

const SHARED = {
  paper: 'Rußwurm et al., ICLR 2024',
  bases: BASES,
  unfit: NO_DECODER,
  training: {
    base: { steps: 800, batchSize: 256, learningRate: 0.002 },
    arm: { steps: 200, batchSize: 128, learningRate: 0.002 },
  },
} as const

export const LOCATION: TaskFacts = {
  ...SHARED,
  name: 'location',
  title: 'Land or sea, by longitude and latitude',
  about:
    'The base learns the coasts of the earth without South America; a fine-tune learns South America, and the rest is asked again.',
}

export const CHECKERBOARD: TaskFacts = {
  ...SHARED,
  name: 'checkerboard',
  title: 'Four colours on a Fibonacci lattice',
  about:
    'The base learns which of four colours the nearest of 100 lattice points has, without South America; a fine-tune learns the rest.',
}
