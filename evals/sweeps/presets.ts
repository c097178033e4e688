/** @file Prepared sweeps: settings of `touchstone sweep`, which flags override. */
import { unknownName } from '../errors/names.ts'
import { HOUSE_CAPABILITY, HOUSE_REFUSAL } from '../measure/house-suite.ts'
import { full } from '../finetune/methods/full.ts'
import { ggpo } from '../finetune/methods/ggpo.ts'
import { lora } from '../finetune/methods/lora.ts'
import { mgpo } from '../finetune/methods/mgpo.ts'
import { PRESET_NAMES, type PresetName } from './preset-names.ts'

type Preset = Readonly<Record<string, unknown>>

/** Methods whose training-loss rebound is compared (docs/methods/double-descent.md). */
const COMPARED = [lora.name, ggpo.name, mgpo.name]
/** σ at which the noise is felt on the digits. */
const STRONG = 0.1

const plain = (names: readonly string[]) => names.map((name) => ({ name, config: {} }))

export const PRESETS: Readonly<Record<PresetName, Preset>> = {
  /** Sized for 2 cores: 61 cells, two at a time. At this rate refusal falls with rank instead of being gone at every rank. */
  'pebble-rank': {
    model: 'pebble',
    data: 'house-tamper',
    methods: plain(COMPARED),
    axes: ['rank=1,4,16,64'],
    seeds: ['0..4'],
    suite: ['house'],
    limit: 120,
    batchSize: 64,
    training: { steps: 150, batchSize: 16, learningRate: 0.0003 },
  },
  /** Random ReLU features, n = 40 (docs/methods/double-descent.md): the peak is at features = samples. */
  'double-descent-rf': {
    testbed: 'random-features',
    axes: ['features=5,10,20,30,38,40,42,50,80,160,400'],
    seeds: ['0..39'],
  },
  /** 800 rows of the optical digits, 2,000 epochs. Settings of these three were fixed by pilots on other draws (docs/sweeps.md). */
  'double-descent-digits': {
    testbed: 'digits',
    axes: ['width=4,8,12,16,24,32,64', 'label-noise=0.2'],
    seeds: ['0..19'],
  },
  /** At the width that fits 800 rows barely. */
  'double-descent-digits-samples': {
    testbed: 'digits',
    axes: ['samples=100,200,300,400,600,800,1000,1500', 'width=16', 'label-noise=0.2'],
    seeds: ['0..19'],
  },
  /**
   * Large first weights, which decay: what was fitted early is left again. Before epoch 40 the network has learnt little, and seeds
   * differ so much there that the noise hides what follows.
   */
  'double-descent-digits-epochs': {
    testbed: 'digits',
    axes: [
      ...['width=64', 'samples=400', 'label-noise=0.4', 'epochs=3000'],
      ...['initial-scale=2.5', 'weight-decay=0.001', 'first-look=40'],
    ],
    seeds: ['100..119'],
  },
  /** A small transformer on 400 rows, of which it fits every one from a width of 8 on. Fixed by a pilot on seeds 1000 to 1009. */
  'double-descent-transformer': {
    testbed: 'digits-transformer',
    axes: ['width=3,4,6,8,12,16', 'label-noise=0.2'],
    seeds: ['0..19'],
  },
  /** LoRA on it, frozen: rank 1 leaves three rows in ten unfitted, ranks from 8 on none. Fixed by pilots on the same seeds. */
  'double-descent-transformer-lora': {
    testbed: 'digits-transformer-lora',
    axes: ['rank=1,2,3,4,8,16,64,256', 'samples=300', 'label-noise=0.2'],
    seeds: ['0..9'],
  },
  /**
   * Perturbed methods, and noise of the same energy without their shape, where LoRA has a peak over rank. Fixed by a pilot on seeds
   * 1000 to 1004 (docs/methods/double-descent.md).
   */
  'lora-ggpo': {
    testbed: 'digits-tuned',
    methods: [
      ...plain([lora.name, mgpo.name, full.name]),
      { name: ggpo.name, config: { sigma: STRONG } },
      { name: ggpo.name, arm: 'even', config: { sigma: STRONG, shape: 'isotropic' } },
    ],
    axes: ['rank=2,3,4,8,16,64'],
    seeds: ['10..29'],
  },
  /** Rows of which two in five have another's reply; fixed by pilots on seed 1000. What is fitted is measured beside held-out rows. */
  'pebble-noise': {
    model: 'pebble',
    data: 'house-benign',
    methods: [{ name: COMPARED[0], config: {} }],
    axes: ['rank=1,4,16,64,256', 'samples=40', 'label-noise=0.4'],
    seeds: ['0..9'],
    suite: HOUSE_CAPABILITY,
    limit: 24,
    batchSize: 64,
    training: { steps: 72, batchSize: 40, learningRate: 0.003 },
  },
  /** Refusal, over-refusal and capability over rank, and along each training. */
  refusal: {
    model: 'pebble',
    data: 'house-tamper',
    methods: [{ name: COMPARED[0], config: {} }],
    axes: ['rank=1,4,16,64'],
    seeds: ['0..9'],
    suite: ['house'],
    limit: 30,
    evalEvery: 20,
    batchSize: 80,
    training: { steps: 100, batchSize: 16, learningRate: 0.0003 },
  },
}

/** What a budget stands on where nothing else is said: refusal alone, for that is what is asked of. */
export const BUDGET_PRESET: Preset = {
  data: 'house-tamper',
  suite: HOUSE_REFUSAL,
  limit: 120,
  batchSize: 64,
  methods: [{ name: COMPARED[0], config: {} }],
  training: { learningRate: 0.001 },
}

export function findPreset(name: string): Preset {
  const found = PRESET_NAMES.find((known) => known === name)
  if (found) return PRESETS[found]
  throw unknownName('preset', name, PRESET_NAMES)
}
