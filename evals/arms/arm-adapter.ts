/** @file What an arm ends in: its adapter as PEFT stores it, with a head that names classes beside it, and its weights. */
import type { AnyMethod } from '../finetune/method.ts'
import type { PeftConfig } from '../models/formats/peft-config.ts'
import type { PeftFolder } from '../models/formats/peft-folder.ts'
import { adaptedWeights, replacedWeights } from '../models/weights/tuned-weights.ts'
import type { FinishedArm } from './arm.ts'
import type { Base } from '../measure/base.ts'
import type { Tuned } from '../measure/arm-spectra.ts'

/** Undefined for methods that train whole weights. @param source the base's place, as the adapter will name it */
export function adapterOf(
  { model }: Pick<Base, 'model'>,
  { plan, parameters, prepared }: Pick<FinishedArm, 'plan' | 'parameters' | 'prepared'>,
  source: string,
): PeftFolder | undefined {
  const { method, methodConfig } = plan
  const isHead = (name: string) => model.weights.get(name)?.head === true
  const all = [...parameters]
  const own = new Map(all.filter(([name]) => !isHead(name)))
  const saved = new Map(all.filter(([name]) => isHead(name)))
  const folder = method.toPeft?.(own, methodConfig, source, prepared)
  return folder && { ...folder, saved }
}

/** How s·B·A of some layers of the base as it lies are all that a method changes, so that `tunedOf` gives them; else undefined. */
export function changesOf(method: AnyMethod, methodConfig: unknown): PeftConfig | undefined {
  const folder = method.toPeft?.(new Map(), methodConfig, '', { parameters: new Map() })
  return folder?.config.useDora === true ? undefined : folder?.config
}

export const endsInLowRank = (method: AnyMethod, methodConfig: unknown): boolean =>
  changesOf(method, methodConfig) !== undefined

/** The weights that an arm ends in. */
export function tunedOf(base: Pick<Base, 'model' | 'path' | 'weights'>, arm: FinishedArm): Tuned {
  const { key, parameters, statePath } = arm
  const folder = adapterOf(base, arm, base.path)
  const weights = folder
    ? adaptedWeights(base.weights, folder, statePath, () => true)
    : replacedWeights(base.weights, parameters)
  return { key, weights }
}
