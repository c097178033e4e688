/**
 * @file The parity self-test compares a device's numbers with those of the CPU and PyTorch: loss, every gradient, five AdamW
 * steps of `full` and `lora`, and cached generation, of a tiny Llama with grouped queries. A wrong kernel raises no error, so
 * only numbers show it. If the device keeps training in its own memory, the steps are taken both there and with parameters
 * and gradients on the host, as some methods need.
 */
import { makeBatch } from '../finetune/training/dataset.ts'
import { full } from '../finetune/methods/full.ts'
import { lora } from '../finetune/methods/lora.ts'
import { bind, type BoundMethod } from '../finetune/method.ts'
import { hostLearner } from '../finetune/training/host-learner.ts'
import { namedViews, optimizerGroups } from '../finetune/training/parameters.ts'
import { newOptimizerState, openLearner } from '../finetune/training/train.ts'
import type { TrainingSession } from '../finetune/training/session.ts'
import { openTraining } from '../finetune/training/train-graph.ts'
import { clipFactor } from '../graph/optimizer.ts'
import { openCached } from '../inference/cached-graph.ts'
import { generate } from '../inference/generate.ts'
import { scoreTexts } from '../inference/score.ts'
import type { Device } from '../runtime/device.ts'
import { openParityFixture, type ParityFixture } from './parity-fixture.ts'

/** Limit of ‖a − b‖ / ‖b‖ per tensor, as for the CPU's golden numbers. Observed values are a hundredth of it; garbage gives 1 or more. */
export const PARITY_TOLERANCE = 1e-4

interface ParityRow {
  /** Name of the tensor in PyTorch's fixture. */
  readonly of: string
  readonly fromCpu: number
  /** Null if the fixture has no such tensor. */
  readonly fromPyTorch: number | null
}

export interface ParityReport {
  readonly rows: readonly ParityRow[]
  readonly passed: boolean
  readonly tolerance: number
  readonly worst: number
  /** The tensor with the difference `worst`. */
  readonly of: string
}

export async function measureParity(
  device: Device,
  fixture?: ParityFixture,
): Promise<ParityReport> {
  const given = fixture ?? (await openParityFixture())
  const cpu = await numbersOf(given, { name: 'cpu', threads: device.threads })
  const found = await numbersOf(given, device)
  const resident = await learnt(given, device, 'resident')
  if (resident.size === 0) return compareParity(found, cpu, given.numbers)
  return compareParity(
    new Map([...found, ...resident]),
    new Map([...cpu, ...asResident(cpu)]),
    new Map([...given.numbers, ...asResident(given.numbers)]),
  )
}

/** For a tensor that was trained in the device's memory. */
const RESIDENT = 'resident.'

const asResident = <T>(numbers: ReadonlyMap<string, T>): (readonly [string, T])[] =>
  [...numbers].flatMap(([of, data]) =>
    /^(?:full|lora)\./u.test(of) ? [[`${RESIDENT}${of}`, data] as const] : [],
  )

type Numbers = ReadonlyMap<string, ArrayLike<number>>

/** Passes if every difference is within the tolerance and no tensor is missing. */
export function compareParity(found: Numbers, cpu: Numbers, pyTorch: Numbers): ParityReport {
  const rows = [...cpu].map(([of, expected]) => {
    const own = found.get(of) ?? []
    const golden = pyTorch.get(of)
    return {
      of,
      fromCpu: relativeError(own, expected),
      fromPyTorch: golden ? relativeError(own, golden) : null,
    }
  })
  const furthest = (row: ParityRow) => Math.max(row.fromCpu, row.fromPyTorch ?? 0)
  const worst = rows.reduce((a, b) => (furthest(b) > furthest(a) ? b : a))
  const passed = furthest(worst) <= PARITY_TOLERANCE
  return { rows, passed, tolerance: PARITY_TOLERANCE, worst: furthest(worst), of: worst.of }
}

/** ‖a − b‖ / ‖b‖; the largest finite number instead of NaN or infinity, which JSON cannot hold. */
function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.MAX_VALUE
  let [difference, norm] = [0, 0]
  for (let i = 0; i < b.length; i++) {
    difference += (a[i]! - b[i]!) ** 2
    norm += b[i]! ** 2
  }
  const error = Math.sqrt(difference / Math.max(norm, Number.MIN_VALUE))
  return Number.isFinite(error) ? error : Number.MAX_VALUE
}

async function numbersOf(fixture: ParityFixture, device: Device): Promise<Numbers> {
  return new Map([...(await learnt(fixture, device, 'host')), ...(await answered(fixture, device))])
}

/** Where parameters and moments are kept between steps. */
type Where = 'host' | 'resident'

const learnt = async (fixture: ParityFixture, device: Device, where: Where): Promise<Numbers> =>
  new Map([
    ...(await trained(fixture, device, where, bind(full, { learningRateScale: 1 }))),
    ...(await trained(fixture, device, where, bind(lora, { rank: 4, alpha: 8 }))),
  ])

const STEPS = 5
const ADAM = {
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0.01,
  gradientAccumulationSteps: 1,
  steps: STEPS,
}
const LEARNING_RATE = 1e-3

/**
 * Gradients of the first step, and losses and parameters over `STEPS` steps, as make-llama.py computes them in PyTorch.
 * Undefined if the device's memory is requested and it has no such mode.
 */
async function trained(
  { model, weights, examples, numbers }: ParityFixture,
  device: Device,
  where: Where,
  method: BoundMethod,
): Promise<Map<string, Float32Array>> {
  const options = { model, weights, method, seed: 0, maxPositions: 16, device }
  const session = await openTraining(options)
  const found = new Map<string, Float32Array>()
  try {
    if (where === 'resident' && !session.resident) return found
    begin(session, method.name, numbers)
    const state = newOptimizerState(session.parameters)
    const groups = optimizerGroups(session.table, true)
    const open = where === 'host' ? hostLearner : openLearner
    const learner = await open(state, { session, seed: 0, config: ADAM, groups })
    const prefix = `${where === 'host' ? '' : RESIDENT}${method.name}`
    const batch = makeBatch(examples, 0)
    const losses: number[] = []
    for (let step = 0; step <= STEPS; step++) {
      losses.push(await learner.add(batch))
      const clip = clipFactor(await learner.norm(), 1)
      if (step === 0) keep(found, session, method, `${prefix}.grad.`, await learner.gradient())
      if (step < STEPS) await learner.update(LEARNING_RATE, clip)
    }
    await learner.close()
    keep(found, session, method, `${prefix}.after${STEPS}.`, state.parameters)
    return found.set(`${prefix}.losses`, Float32Array.from(losses))
  } finally {
    await session.release()
  }
}

/** PEFT's prefix of adapter tensors. */
const PEFT = 'base_model.model.'
const keyOf = (method: string, parameter: string) =>
  method === 'lora' ? `${PEFT}${parameter}` : parameter

function begin(
  session: TrainingSession,
  method: string,
  numbers: ReadonlyMap<string, Float32Array>,
): void {
  for (const [parameter, { data }] of namedViews(session.table, session.parameters)) {
    const start = numbers.get(`${method}.init.${keyOf(method, parameter)}`)
    if (start) data.set(start)
  }
}

function keep(
  found: Map<string, Float32Array>,
  { table }: TrainingSession,
  { name }: BoundMethod,
  prefix: string,
  flat: Float32Array,
): void {
  for (const [parameter, { data }] of namedViews(table, flat))
    found.set(`${prefix}${keyOf(name, parameter)}`, data.slice())
}

/** Greedy generation with the cache in one batch of unequal lengths, and the loss of the prompts. */
async function answered(
  { model, weights, prompts, newTokens }: ParityFixture,
  device: Device,
): Promise<Map<string, Float32Array>> {
  const session = await openCached({ model, frozen: weights }, device, 64)
  const options = {
    session,
    varying: {},
    decoding: { maxNewTokens: newTokens, temperature: 0, seed: 0 },
    endIds: new Set<number>(),
    padId: 0,
    batchSize: prompts.length,
    signal: new AbortController().signal,
  }
  try {
    const scored = await scoreTexts(
      prompts.map((prompt) => ({ ...prompt, from: 1 })),
      options,
    )
    const answers: number[][] = []
    for await (const batch of generate(prompts, options))
      for (const { index, tokenIds } of batch) answers[index] = tokenIds
    return new Map([
      ['greedy.tokens', Float32Array.from(answers.flat())],
      ['score.logProbs', Float32Array.from(scored.flatMap((each) => [...each]))],
    ])
  } finally {
    await session.release()
  }
}
