/** @file The direction of refusal of the fine-tunes of a run: beside the base's, along the training, in the weights' change, and steered. */
import type { JobContext, Progress } from '../../contract/job.ts'
import { DIRECTION_METRICS } from '../../contract/metrics/direction.ts'
import type { Direction } from '../../contract/subjects/direction.ts'
import type { Tuned } from '../../measure/arm-spectra.ts'
import { stateWith, type Base } from '../../measure/base.ts'
import type { EvaluationPlan } from '../../measure/evaluate.ts'
import { changeOf, drawBenign, type BenignPlan } from './ablation-test.ts'
import { emitFound, fileName } from './emit-found.ts'
import { besideBase, countsOf, openDirections, type BaseDirections } from './refusal-direction.ts'
import { steer } from './steering.ts'

interface Asked {
  readonly evaluation: EvaluationPlan
  /** By the arm that it stands beside; the first for candidates. */
  readonly benign: (arm: string) => BenignPlan | undefined
  readonly steers: boolean
}

interface DirectionStudy {
  along(base: Base, evaluation: EvaluationPlan, state: Tuned): Promise<void>
  look(base: Base, tuned: readonly Tuned[], asked: Asked): Promise<void>
}

export function directionStudy(context: JobContext, progress: Progress): DirectionStudy {
  let known: Promise<BaseDirections> | undefined
  const directionsOf = (base: Base, evaluation: EvaluationPlan) => {
    context.flush()
    return (known ??= openDirections(base, evaluation, progress.rows(), context.signal))
  }
  return {
    async along(base, evaluation, state) {
      const found = await directionsOf(base, evaluation)
      const { places } = await besideBase(base, found, stateOf(base, state), context.signal)
      emitPlace(found, places, state, context)
    },
    async look(base, tuned, asked) {
      const { evaluation, steers, benign } = asked
      const found = await directionsOf(base, evaluation)
      for (const each of tuned) {
        const beside = await besideBase(base, found, stateOf(base, each), context.signal)
        emitPlace(found, beside.places, each, context)
        const plan = benign(each.key.arm)
        const drawn = plan ? await drawBenign(base, plan, context, progress) : []
        const change = changeOf(base, each, found.direction, plan && { ...plan, drawn })
        await emitDirection({ ...described(found), ...each.key, ...beside, change }, context)
      }
      if (!steers) return
      const steering = { layer: found.chosen.layer, direction: found.direction }
      const key = { arm: 'base', seed: 0, step: 0 }
      const states = [
        { key, read: (name: string) => base.weights.get(name)! },
        ...tuned.map((each) => ({
          key: each.key,
          read: (name: string) => each.weights.read(name),
        })),
      ]
      for (const state of states) await steer(base, state, steering, evaluation, context)
    },
  }
}

const stateOf = (base: Base, { weights }: Tuned) => stateWith(base, (name) => weights.read(name))

function emitPlace(
  { chosen }: BaseDirections,
  places: Direction['places'],
  { key }: Tuned,
  { emit, flush }: JobContext,
): void {
  const here = places.find(
    ({ layer, position }) => layer === chosen.layer && position === chosen.position,
  )!
  const values = { cosine: here.cosine, strength: here.strengthRatio, gap: here.gapRatio }
  for (const name of ['cosine', 'strength', 'gap'] as const)
    emit({ type: 'metric', row: { ...key, name: DIRECTION_METRICS[name], value: values[name] } })
  flush()
}

const described = (found: BaseDirections) => ({
  benchmarks: [...new Set(found.asked.map(({ benchmark }) => benchmark))],
  made: countsOf(found, 'chosen-on'),
  judged: countsOf(found, 'judged-on'),
  chosen: found.chosen,
  reliability: found.reliability,
})

function emitDirection(direction: Direction, context: JobContext): Promise<void> {
  const { arm, seed } = direction
  return emitFound({ kind: 'direction', ...direction }, direction, context, {
    name: `direction-${fileName({ arm, seed })}`,
    role: `direction of refusal of ${arm}, seed ${seed}`,
  })
}
