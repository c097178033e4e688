/** @file Whether a training changed anything that float32 can hold: what changed nothing passes every gate. */
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { isSameInFloat32, typicalOf } from '../measure/alike/unchanged.ts'
import type { Base } from '../measure/base.ts'
import { tunedOf } from './arm-adapter.ts'
import { nameOf, type FinishedArm } from './arm-plan.ts'

/**
 * Throws where the weights at the end are those at the start. A start that is absent is the base itself. Ends as a rule at the first
 * matrix, so that a real training costs one.
 */
export function requireChanged(base: Base, start: FinishedArm | undefined, end: FinishedArm): void {
  if (!isAsAtStart(base, start, end)) return
  throw new TouchstoneError('training.unchanged', { arm: nameOf(end.plan), steps: end.key.step })
}

function isAsAtStart(base: Base, start: FinishedArm | undefined, end: FinishedArm): boolean {
  const { mergeable, toWeights } = end.plan.method
  // A mixture has no weights to merge, and a method that rounds makes others of the same parameters.
  if (start && (!mergeable || toWeights !== undefined)) return hasSameParameters(start, end)
  const after = tunedOf(base, end).weights
  const before = start ? tunedOf(base, start).weights : undefined
  return [...(after.changed ?? base.model.weights.keys())].every((name) => {
    const was = before ? before.read(name) : base.weights.get(name)
    return was === undefined || isSameInFloat32(was, after.read(name))
  })
}

function hasSameParameters(start: FinishedArm, end: FinishedArm): boolean {
  // Of all together: half of an adapter begins at zero.
  const typical = typicalOf([...start.parameters.values()].map(({ data }) => data))
  return [...start.parameters].every(([name, { data }]) =>
    isSameInFloat32(data, end.parameters.get(name)!.data, typical),
  )
}
