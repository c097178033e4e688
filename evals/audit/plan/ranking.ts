/** @file What ranking a fine-tune's rows costs in a plan: training up to the last checkpoint, and a gradient of each row at each, scored in every form. */
import { bindMethod } from '../../finetune/registry.ts'
import { trainedSize } from '../../finetune/training/trained-size.ts'
import { templateVariablesOf } from '../../models/text/template-variables.ts'
import { modelPath } from '../../models/model-path.ts'
import { openModel } from '../../models/open-model.ts'
import { recognise, type Model } from '../../models/registry.ts'
import { chooseDevice } from '../../runtime/device.ts'
import type { AuditConfig } from '../config.ts'
import { measureRate, trainingSeconds, workSize } from './estimate.ts'

/** Seconds of the scores of a row in a trained number, of all forms and targets, measured: test/bench/findings/ranking-cost.ts. */
export const SCORED_NUMBER = 2.3e-8

interface Ranked {
  readonly rows: number
  /** Of a row. */
  readonly tokens: number
  readonly checkpoints: number
}

interface Machine {
  readonly model: Model
  readonly rate: number
}

type Trained = Pick<AuditConfig, 'methods' | 'training'>

/** Of one seed of each method. Checkpoints are in the middle of as many equal parts; a row's gradient is a step of that row alone. */
export function rankingSeconds(
  { methods, training }: Trained,
  { rows, tokens, checkpoints }: Ranked,
  { model, rate }: Machine,
): number {
  const size = workSize(model.weights)
  const { steps, batchSize, gradientAccumulationSteps } = training
  const inStep = batchSize * gradientAccumulationSteps * tokens
  return methods.reduce((sum, choice) => {
    const method = bindMethod(choice)
    const isFrozen = method.toPeft !== undefined
    const seconds = (count: number, each: number) =>
      trainingSeconds(size, rate, count, each, isFrozen)
    const scores = rows * checkpoints * SCORED_NUMBER * trainedSize(model, method).trained
    const train = (1 - 1 / (2 * checkpoints)) * seconds(steps, inStep)
    return sum + train + seconds(rows * checkpoints, tokens) + scores
  }, 0)
}

/** The same, of a configuration whose model is not open. */
export async function plannedRanking(
  config: Trained & Pick<AuditConfig, 'model' | 'templateVars' | 'device' | 'threads'>,
  ranked: Ranked,
): Promise<number> {
  const { model, templateVars, device, threads } = config
  const open = await openModel(modelPath(model), templateVariablesOf(templateVars))
  try {
    const rate = await measureRate(chooseDevice(device, threads ?? undefined))
    return rankingSeconds(config, ranked, { model: recognise(open.checkpoint), rate })
  } finally {
    await open.close()
  }
}
