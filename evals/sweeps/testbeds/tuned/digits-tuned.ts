/**
 * @file Fine-tuning of a frozen digit reader on few rows with label noise, by any method of the registry: double descent over
 * rank, and what lies beside it (docs/methods/double-descent.md). Low ranks cannot learn the wrong labels, high ones can.
 */
import { z } from 'zod'
import { curvatureAt } from '../../../finetune/training/curvature.ts'
import { lora } from '../../../finetune/methods/lora.ts'
import { bindMethod } from '../../../finetune/registry.ts'
import { scanSpectra } from '../../../measure/arm-spectra.ts'
import type { SpectrumRow } from '../../../contract/rows.ts'
import type { TunedWeights } from '../../../models/weights/tuned-weights.ts'
import type { CurvePoint, Testbed, TestbedResult } from '../testbed.ts'
import { openMeasuring, type Fit, type Measuring } from './measuring.ts'
import { ADAPTED } from './reader.ts'
import { MOST_SAMPLES, tunedSplit, type Split } from './rows.ts'
import { baseOf, trainFrom, type Start } from './training.ts'

/** Steps at which a trial is measured, evenly spaced in the logarithm. */
const LOOKS = 12

const Config = z.object({
  width: z.int().min(2).max(1024).default(64).describe('hidden units of the base'),
  samples: z.int().min(10).max(MOST_SAMPLES).default(120).describe('training rows'),
  labelNoise: z.number().min(0).max(1).default(0.2).describe('share of wrong training labels'),
  steps: z.int().min(1).max(100_000).default(2000).describe('full-batch steps of AdamW'),
  learningRate: z.number().positive().max(1).default(0.002).describe('of AdamW, constant'),
  weightDecay: z.number().min(0).max(100).default(0).describe('of AdamW, on matrices'),
  method: z.string().default(lora.name),
  methodConfig: z.record(z.string(), z.unknown()).default({}),
})
type Config = z.infer<typeof Config>

export const digitsTuned: Testbed<Config> = {
  name: 'digits-tuned',
  title: 'Fine-tuning methods on a network of 8 × 8 digits',
  version: '1',
  source: 'Nakkiran et al. 2019; LoRA-MGPO (arXiv:2502.14538)',
  config: Config,
  tunes: true,
  run: trial,
}

async function trial(config: Config, seed: number, signal: AbortSignal): Promise<TestbedResult> {
  signal.throwIfAborted()
  const { width, steps, method, methodConfig } = config
  const split = tunedSplit(config, seed)
  const start = await baseOf(width, seed, split.base, signal)
  const measuring = await openMeasuring(start.model)
  try {
    const looks: Look[] = []
    let last: TunedWeights | undefined
    const bound = bindMethod({ name: method, config: methodConfig })
    const plan = { ...config, method: bound, batch: split.training, seed, signal }
    await trainFrom(start, plan, lookSteps(steps), async (step, tuned) => {
      last = tuned
      const weights = weightsIn(start, tuned)
      const [train, test] = [split.training, split.test].map((rows) => measuring.fit(weights, rows))
      looks.push({ step, train: await train!, test: await test! })
    })
    return resultOf(looks, await whyOf(start, last!, split, measuring, seed))
  } finally {
    await measuring.release()
  }
}

const lookSteps = (steps: number): number[] => [
  ...new Set(Array.from({ length: LOOKS }, (_, i) => Math.round(steps ** (i / (LOOKS - 1))))),
]

interface Look {
  readonly step: number
  readonly train: Fit
  readonly test: Fit
}

const weightsIn = ({ model }: Start, tuned: TunedWeights) =>
  new Map([...model.weights.keys()].map((name) => [name, tuned.read(name)]))

function resultOf(looks: readonly Look[], why: Readonly<Record<string, number>>): TestbedResult {
  const { train, test } = looks.at(-1)!
  const errors = looks.map((look) => look.test.error)
  const best = Math.min(...errors)
  return {
    trainError: train.error,
    testError: test.error,
    metrics: {
      'best-test-error': best,
      'best-test-step': looks[errors.indexOf(best)]!.step,
      'train-cross-entropy': train.loss,
      'test-cross-entropy': test.loss,
      'gradient-norm': norm(train.gradient),
      ...why,
    },
    curve: looks.flatMap(pointsAt),
  }
}

const pointsAt = ({ step: x, train, test }: Look): CurvePoint[] =>
  Object.entries({
    'train-error': train.error,
    'test-error': test.error,
    'train-cross-entropy': train.loss,
    'test-cross-entropy': test.loss,
  }).map(([name, value]) => ({ x, name, value }))

/** What the paper explains its effect by, of the adapted matrix: sharpness of the training loss, size and spectrum of its change. */
async function whyOf(
  start: Start,
  tuned: TunedWeights,
  { training }: Split,
  measuring: Measuring,
  seed: number,
): Promise<Record<string, number>> {
  const weights = weightsIn(start, tuned)
  const W = weights.get(ADAPTED)!
  const gradientAt = async (θ: Float32Array) =>
    (await measuring.fit(new Map([...weights, [ADAPTED, θ]]), training)).gradient
  const { largestEigenvalue, trace } = await curvatureAt(gradientAt, W, { seed, rounds: 40 })
  const spectra: SpectrumRow[] = []
  const key = { arm: '', seed, step: 0 }
  await scanSpectra(start, [{ key, weights: tuned }], {
    emit: (body) => body.type === 'spectrum' && spectra.push(body.row),
    flush: () => undefined,
    signal: new AbortController().signal,
  })
  const { relativeChange, effectiveRankOfChange, intruders } = spectra[0]!
  return {
    'largest-eigenvalue': largestEigenvalue,
    'hessian-trace': trace,
    'parameter-norm': norm(W),
    'relative-change': relativeChange,
    'effective-rank': effectiveRankOfChange ?? 0,
    intruders,
  }
}

const norm = (values: Float32Array | Float64Array) =>
  Math.sqrt((values as Float64Array).reduce((sum, value) => sum + value ** 2, 0))
