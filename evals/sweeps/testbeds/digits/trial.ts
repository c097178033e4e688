/** @file What is measured of networks trained side by side, on the way and at the end; and how long a training will take. */
import type { CurvePoint, Testbed, TestbedResult } from '../testbed.ts'
import { CLASSES, type Rows } from './rows.ts'
import { openTraining, type Start, type Tensors, type Training } from './side-by-side.ts'

/** Epochs at which a trial is measured, evenly spaced in the logarithm from the first to the last. */
const LOOKS = 25

function lookEpochs({ firstLook, epochs }: Pick<Trial, 'firstLook' | 'epochs'>): number[] {
  const first = Math.min(firstLook, epochs)
  const at = (i: number) => Math.round(first * (epochs / first) ** (i / (LOOKS - 1)))
  return [...new Set(Array.from({ length: LOOKS }, (_, i) => at(i)))]
}

/**
 * Seeds of a block. A kernel may round a tensor's end otherwise than its inside, so that the bits of a seed depend on how many
 * stand beside it: a block is run whole, and a seed has its place in it.
 */
const BLOCK = 10

/** A trial of networks side by side. */
export interface Trial {
  readonly start: Start
  /** One set of the same size for each seed. */
  readonly test: readonly Rows[]
  readonly firstLook: number
  readonly epochs: number
}

/** The trained tensors at the end. */
export async function trained(start: Start, epochs: number, signal: AbortSignal): Promise<Tensors> {
  const training = await openTraining(start)
  try {
    await training.advance(epochs, signal)
    const { trained: shapes } = start.network
    return Object.fromEntries(Object.keys(shapes).map((name) => [name, training.tensors()[name]!]))
  } finally {
    await training.release()
  }
}

/** How a testbed runs that makes a trial of its parameters and the seeds of a block. */
export function sideBySide<P>(
  trialOf: (parameters: P, seeds: readonly number[], signal: AbortSignal) => Promise<Trial>,
): Pick<Testbed<P>, 'run' | 'together'> {
  const seedsOf = (block: number) => Array.from({ length: BLOCK }, (_, i) => block * BLOCK + i)
  const run = async (parameters: P, block: number, signal: AbortSignal) => {
    signal.throwIfAborted()
    return measured(await trialOf(parameters, seedsOf(block), signal), signal)
  }
  return {
    run: async (parameters, seed, signal) =>
      (await run(parameters, Math.floor(seed / BLOCK), signal))[seed % BLOCK]!,
    together: {
      block: BLOCK,
      run,
      seconds: async (parameters) =>
        secondsOf(await trialOf(parameters, seedsOf(0), new AbortController().signal)),
    },
  }
}

interface Fit {
  /** Mean cross-entropy in nats. */
  readonly loss: number
  /** Share of rows whose largest logit is another class's. */
  readonly error: number
}

async function measured(
  { start, test, ...times }: Trial,
  signal: AbortSignal,
): Promise<TestbedResult[]> {
  const training = await openTraining(start)
  try {
    const looks: Look[] = []
    for (const epoch of lookEpochs(times)) {
      await training.advance(epoch - (looks.at(-1)?.epoch ?? 0), signal)
      const [onTrain, onTest] = [await fits(training, start.rows), await fits(training, test)]
      looks.push({ epoch, onTrain, onTest, norms: parameterNorms(training, start) })
    }
    const parameters = Object.values(start.network.trained)
      .map((shape) => shape.reduce((a, b) => a * b))
      .reduce((a, b) => a + b)
    return start.rows.map((_, seed) => resultOf(looks, seed, parameters))
  } finally {
    await training.release()
  }
}

/** One a seed. */
interface Look {
  readonly epoch: number
  readonly onTrain: readonly Fit[]
  readonly onTest: readonly Fit[]
  readonly norms: readonly number[]
}

function resultOf(looks: readonly Look[], seed: number, parameters: number): TestbedResult {
  const curve = looks.flatMap((look) => pointsAt(look, seed))
  const { onTrain, onTest, norms } = looks.at(-1)!
  const errors = looks.map((look) => look.onTest[seed]!.error)
  const best = Math.min(...errors)
  return {
    trainError: onTrain[seed]!.error,
    testError: onTest[seed]!.error,
    metrics: {
      'best-test-error': best,
      'best-test-epoch': looks[errors.indexOf(best)]!.epoch,
      'train-cross-entropy': onTrain[seed]!.loss,
      'test-cross-entropy': onTest[seed]!.loss,
      'parameter-norm': norms[seed]!,
      parameters,
    },
    curve,
  }
}

const pointsAt = ({ epoch, onTrain, onTest, norms }: Look, seed: number): CurvePoint[] =>
  Object.entries({
    'train-error': onTrain[seed]!.error,
    'test-error': onTest[seed]!.error,
    'train-cross-entropy': onTrain[seed]!.loss,
    'test-cross-entropy': onTest[seed]!.loss,
    'parameter-norm': norms[seed]!,
  }).map(([name, value]) => ({ x: epoch, name, value }))

async function fits(training: Training, rows: readonly Rows[]): Promise<Fit[]> {
  const logits = await training.logits(rows)
  return rows.map(({ labels }, seed) => fitOf(logits[seed]!, labels))
}

function fitOf(logits: Float32Array, labels: readonly number[]): Fit {
  let [loss, wrong] = [0, 0]
  labels.forEach((label, row) => {
    const z = logits.subarray(row * CLASSES, (row + 1) * CLASSES)
    const most = z.reduce((a, b) => Math.max(a, b))
    loss += most - z[label]! + Math.log(z.reduce((sum, value) => sum + Math.exp(value - most), 0))
    if (z.indexOf(most) !== label) wrong++
  })
  return { loss: loss / labels.length, error: wrong / labels.length }
}

/** ‖θ‖₂ of each seed's trained tensors. */
function parameterNorms(training: Training, { network, rows }: Start): number[] {
  const tensors = Object.keys(network.trained).map((name) => training.tensors()[name]!.data)
  return rows.map((_, seed) => {
    const squares = tensors.map((data) => {
      const size = data.length / rows.length
      const own = (data as Float32Array).subarray(seed * size, (seed + 1) * size)
      return own.reduce((sum, value) => sum + value * value, 0)
    })
    return Math.sqrt(squares.reduce((a, b) => a + b))
  })
}

/** Epochs that warm up, and that are timed. */
const [WARM, TIMED] = [10, 40]

/** From a short training and one look. */
async function secondsOf({ start, test, ...times }: Trial): Promise<number> {
  const training = await openTraining(start)
  try {
    await training.advance(WARM)
    const began = performance.now()
    await training.advance(TIMED)
    const trained = performance.now()
    await fits(training, start.rows)
    await fits(training, test)
    const [each, look] = [(trained - began) / TIMED, performance.now() - trained]
    return (each * times.epochs + look * lookEpochs(times).length) / 1000
  } finally {
    await training.release()
  }
}
