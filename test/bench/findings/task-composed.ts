/** @file Fine-tunes of one base of the composer by seed: trained, composed with one companion, and counted, in this process. */
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
const config = TaskConfig.parse({ task: COMPOSER.name, methods: [], threads: 1, training })
/** Base and companion are trained once, and a stopped training goes on. */
const context = {
  emit: () => undefined,
  seal: () => undefined,
  flush: () => undefined,
  signal: new AbortController().signal,
  workspace: join(work, 'composed'),
}

interface Begun {
  readonly base: Base
  readonly armRows: readonly TaskRow[]
  readonly measure: TaskMeasure
}

async function begin(): Promise<Begun> {
  const task = findTask(COMPOSER.name)
  const reads = {
    base: Infinity,
    arm: training.steps * training.batchSize,
    each: Infinity,
  }
  const chosen = { base: COMPOSER.bases[0]!, seed: config.baseSeed, file: null, reads }
  const { model, baseRows: rows, companion, fromBase } = await (await task.load()).prepare(chosen)
  const path = await trainedBase({ model, rows, training: task.training.base, config }, context)
  const beside = await companionWeights(path, companion!, config, context)
  const { armRows, measures } = await askedOfBase(path, config, context, (ask, network) =>
    fromBase!(ask, network, beside),
  )
  const base = await openBase(path, device, training.batchSize)
  return { base, armRows, measure: measures![0]! }
}

let begun: Promise<Begun> | undefined

const NAMES = ['presence', 'leakage'].flatMap((fact) =>
  ['', '-merged', '-injected'].map((less) => `${fact}${less}`),
)
const KEYS = [1, 2].flatMap((concept) => NAMES.map((name) => `${COMPOSER.name}-${concept}-${name}`))

/** Numbers of the composition by their names, of a fine-tune by LoRA of rank 4. */
export async function composedNumbers(seed: number): Promise<ReadonlyMap<string, number>> {
  const found = await kept(`composed-${seed}`, async () => {
    begun ??= begin()
    const { base, armRows, measure } = await begun
    const { examples } = classedExamples(base, dataOfRows(COMPOSER.name, armRows), Infinity)
    const plan = {
      arm: 'lora',
      method: bind(lora, { rank: 4, alpha: 8 }),
      seed,
      training: config.training,
      examples,
      dataDigest: examplesDigest(examples),
      evaluateAt: [training.steps],
      evaluation: undefined,
    }
    const { weights } = tunedOf(base, await runArm(base, plan, context))
    const own = new Map([...base.weights.keys()].map((name) => [name, weights.read(name)]))
    const state = { model: base.model, device, weights: own }
    const nothing = () => Promise.resolve([])
    const rows = (await measure.rows(nothing, async () => state)).map(({ numbers }) => numbers)
    return KEYS.map((key) => measure.numbers.find(({ name }) => name === key)!.of(rows)!)
  })
  return new Map(KEYS.map((key, i) => [key, found[i]!]))
}
