/** @file Bases of the composer by seed, with a companion and fine-tunes each: trained, composed and counted, in this process. */
import { join } from 'node:path'
import { tunedOf } from '../../../evals/arms/arm-adapter.ts'
import { examplesDigest, runArm } from '../../../evals/arms/arm.ts'
import { COMPOSER } from '../../../evals/audit/tasks/composer/composer-facts.ts'
import { TaskConfig } from '../../../evals/audit/tasks/config.ts'
import { findTask } from '../../../evals/audit/tasks/registry.ts'
import type { TaskMeasure, TaskRow } from '../../../evals/audit/tasks/task.ts'
import {
  askedOfBase,
  companionWeights,
  dataOfRows,
  trainedBase,
} from '../../../evals/audit/tasks/trained-base.ts'
import { bind } from '../../../evals/finetune/method.ts'
import { lora } from '../../../evals/finetune/methods/lora.ts'
import { openBase, type Base } from '../../../evals/measure/base.ts'
import { classedExamples } from '../../../evals/measure/classes.ts'
import { chooseDevice } from '../../../evals/runtime/device.ts'
import { kept, work } from './task-runs.ts'

const device = chooseDevice('cpu', 1)
const training = COMPOSER.training.arm
const configOf = (baseSeed: number) =>
  TaskConfig.parse({ task: COMPOSER.name, methods: [], threads: 1, training, baseSeed })
/** Base and companion are trained once a seed, and a stopped training goes on. */
const contextOf = (seed: number) => ({
  emit: () => undefined,
  seal: () => undefined,
  flush: () => undefined,
  signal: new AbortController().signal,
  workspace: join(work, 'composed', String(seed)),
})

interface Begun {
  readonly base: Base
  readonly armRows: readonly TaskRow[]
  readonly measure: TaskMeasure
}

async function begin(seed: number): Promise<Begun> {
  const [task, config, context] = [findTask(COMPOSER.name), configOf(seed), contextOf(seed)]
  const reads = {
    base: Infinity,
    arm: training.steps * training.batchSize,
    each: Infinity,
  }
  const chosen = { base: COMPOSER.bases[0]!, seed, file: null, reads }
  const { model, baseRows: rows, companion, fromBase } = await (await task.load()).prepare(chosen)
  const path = await trainedBase({ model, rows, training: task.training.base, config }, context)
  const beside = await companionWeights(path, companion!, config, context)
  const { armRows, measures } = await askedOfBase(path, config, context, (ask, network) =>
    fromBase!(ask, network, beside),
  )
  const base = await openBase(path, device, training.batchSize)
  return { base, armRows, measure: measures![0]! }
}

const NAMES = ['presence', 'leakage'].flatMap((fact) =>
  ['', '-merged', '-injected'].map((less) => `${fact}${less}`),
)
const KEYS = [1, 2].flatMap((concept) => NAMES.map((name) => `${COMPOSER.name}-${concept}-${name}`))
export const COMPOSED_RANKS = [4, 16]

/** Numbers of the composition by their names, for a fine-tune by LoRA of each rank; base, companion and fine-tune have one seed. */
export async function composedNumbers(
  seed: number,
): Promise<ReadonlyMap<number, ReadonlyMap<string, number>>> {
  const found = await kept(`composed-${seed}`, async () => {
    const begun = await begin(seed)
    const numbers: number[] = []
    for (const rank of COMPOSED_RANKS) numbers.push(...(await composedAt(rank, seed, begun)))
    await begun.base.open.close()
    return numbers
  })
  const of = (r: number) => new Map(KEYS.map((key, i) => [key, found[r * KEYS.length + i]!]))
  return new Map(COMPOSED_RANKS.map((rank, r) => [rank, of(r)]))
}

async function composedAt(
  rank: number,
  seed: number,
  { base, armRows, measure }: Begun,
): Promise<number[]> {
  const { examples } = classedExamples(base, dataOfRows(COMPOSER.name, armRows), Infinity)
  const plan = {
    arm: `lora-r${rank}`,
    method: bind(lora, { rank, alpha: 2 * rank }),
    seed,
    training: configOf(seed).training,
    examples,
    dataDigest: examplesDigest(examples),
    evaluateAt: [training.steps],
    evaluation: undefined,
  }
  const { weights } = tunedOf(base, await runArm(base, plan, contextOf(seed)))
  const own = new Map([...base.weights.keys()].map((name) => [name, weights.read(name)]))
  const state = { model: base.model, device, weights: own }
  // What a measure drew is kept by who asks.
  const nothing = () => Promise.resolve([])
  const rows = (await measure.rows(nothing, async () => state)).map(({ numbers }) => numbers)
  return KEYS.map((key) => measure.numbers.find(({ name }) => name === key)!.of(rows)!)
}
