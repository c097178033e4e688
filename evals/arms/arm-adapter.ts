/** @file The result of an arm: its adapter in PEFT’s form, with a classification head beside it, and its weights. */
import type { BoundMethod, CutModel, EndState } from '../finetune/method.ts'
import type { PeftConfig } from '../models/formats/peft-config.ts'
import type { PeftFolder } from '../models/formats/peft-folder.ts'
import { isEncoder, type Model } from '../models/registry.ts'
import { elementsOfAll } from '../models/weights/stored-weights.ts'
import { adaptedWeights, replacedWeights } from '../models/weights/tuned-weights.ts'
import type { FinishedArm } from './arm-plan.ts'
import type { Base } from '../measure/base.ts'
import type { Tuned } from '../measure/arm-spectra.ts'

/** Returns undefined for methods that train whole weights. @param source the base's path as written into the adapter */
export function adapterOf(
  { model }: Pick<Base, 'model'>,
  { plan, parameters, prepared }: Pick<Ended, 'plan' | 'parameters' | 'prepared'>,
  source: string,
): PeftFolder | undefined {
  const isHead = (name: string) => model.weights.get(name)?.head === true
  const all = [...parameters]
  const own = new Map(all.filter(([name]) => !isHead(name)))
  const saved = new Map(all.filter(([name]) => isHead(name)))
  const folder = plan.method.toPeft?.(own, source, prepared)
  return folder && { ...folder, saved }
}

/** The adapter configuration of a method whose result is s·B·A added to layers of the unchanged base; undefined for others. */
export function changesOf(method: BoundMethod): PeftConfig | undefined {
  const folder = method.toPeft?.(new Map(), '', { parameters: new Map() })
  return folder?.config.useDora === true ? undefined : folder?.config
}

/** Whether a state is asked in the training session's own form; otherwise as the weights that are made of it. */
export const isAskedAsTrained = ({ cut, toWeights }: Pick<BoundMethod, 'cut' | 'toWeights'>) =>
  !cut && !toWeights

/** Of adapted matrices, in float32: beyond it a merged copy would need more memory than the time is worth. */
const MOST_MERGED = 2 ** 30

/**
 * Whether a state's adapter becomes part of the weights before it is asked, which takes little more time than asking the base. An
 * exported graph merges for itself.
 */
export function isAskedMerged(
  model: Model,
  { mergeable, toPeft }: Pick<BoundMethod, 'mergeable' | 'toPeft'>,
): boolean {
  if (!mergeable || toPeft === undefined || model.graph || isEncoder(model)) return false
  const adapted = [...model.weights.values()].filter(({ module }) => module !== undefined)
  return 4 * elementsOfAll(adapted) <= MOST_MERGED
}

export const endsInLowRank = (method: BoundMethod): boolean => changesOf(method) !== undefined

/** The weights of those arms that have any: a mixture's depend on the text. */
export const allTuned = (
  base: Pick<Base, 'model' | 'path' | 'weights'>,
  arms: readonly FinishedArm[],
): Tuned[] => arms.flatMap((arm) => (arm.plan.method.mergeable ? tunedOf(base, arm) : []))

type Weighed = Pick<Base, 'model' | 'weights'>

const endStateOf = (
  { model, weights }: Weighed,
  { parameters, prepared }: Pick<FinishedArm, 'parameters' | 'prepared'>,
): EndState => ({ model, parameters, prepared, weight: (name) => weights.get(name)! })

/** What is left of each layer of an arm that prunes; undefined for others. */
export const keptOf = (base: Weighed, arm: FinishedArm): CutModel['kept'] | undefined =>
  arm.plan.method.kept?.(endStateOf(base, arm))

/** What a fine-tune ended with, whatever trained it. */
type Ended = Omit<FinishedArm, 'plan'> & { readonly plan: Pick<FinishedArm['plan'], 'method'> }

/** The weights of a trained arm. */
export function tunedOf(base: Pick<Base, 'model' | 'path' | 'weights'>, arm: Ended): Tuned {
  const { key, parameters, statePath } = arm
  const made = arm.plan.method.toWeights?.(endStateOf(base, arm))
  if (made) {
    const trained = new Map([
      ...parameters,
      ...[...made].map(([name, data]) => [name, { data }] as const),
    ])
    return { key, weights: replacedWeights(base.weights, trained) }
  }
  const folder = adapterOf(base, arm, base.path)
  const weights = folder
    ? adaptedWeights(base.weights, folder, statePath, { brings: () => true })
    : replacedWeights(base.weights, parameters)
  return { key, weights }
}
