/**
 * @file The parity self-test: does a device give the numbers that the CPU and PyTorch give? Loss, every gradient, five AdamW
 * steps of `full` and `lora`, and answers through the cache, of a tiny Llama with grouped queries. A kernel that leaves
 * something unwritten says nothing, so only numbers can tell. Where the device keeps a run in its own memory, the steps are taken
 * twice: there, and with parameters and gradients that come and go, as some methods have it.
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

/** ‖a − b‖ ÷ ‖b‖ of a tensor, as for the golden numbers on the CPU. What is found is a hundredth of it; garbage is 1 and more. */
export const PARITY_TOLERANCE = 1e-4

interface ParityRow {
  /** A tensor, by the name that it has in PyTorch's fixture. */
  readonly of: string
  readonly fromCpu: number
  /** Null where the fixture has no such number. */
  readonly fromPyTorch: number | null
}

export interface ParityReport {
  readonly rows: readonly ParityRow[]
  readonly passed: boolean
  readonly tolerance: number
  readonly worst: number
  /** The tensor that is off by `worst`. */
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

/** Of a tensor that was trained in the device's own memory. */
const RESIDENT = 'resident.'

const asResident = <T>(numbers: ReadonlyMap<string, T>): (readonly [string, T])[] =>
  [...numbers].flatMap(([of, data]) =>
    /^(?:full|lora)\./u.test(of) ? [[`${RESIDENT}${of}`, data] as const] : [],
  )

type Numbers = ReadonlyMap<string, ArrayLike<number>>

/** Passes where no number is further off than the tolerance, and none is missing. */
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

/** ‖a − b‖ ÷ ‖b‖; where that is no number, as good as infinite (JSON has no infinity). */
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

/** Where parameters and moments lie from step to step. */
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
}
const LEARNING_RATE = 1e-3

/**
 * Gradients of the first step, and losses and parameters over `STEPS` of them: what make-llama.py did in PyTorch. Nothing
 * where the device keeps none in its memory and is asked to.
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

/** PEFT's prefix of an adapter's tensor. */
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

/** Greedy answers through the cache, in one batch of unequal lengths, and what the prompts cost. */
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
