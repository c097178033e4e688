/** @file An earlier checkpoint of the same training: the last that is safe, of the steps at which the run is measured. */
import { z } from 'zod'
import type { FinishedArm } from '../arm-plan.ts'
import type { FineTune, MadeWeights, Remedy } from './remedy.ts'
import { changedWeights, scaled, squaredDistance } from './weights.ts'

const settings = z.strictObject({})

export const earlyStop: Remedy<z.infer<typeof settings>> = {
  name: 'early-stop',
  title: 'Earlier checkpoint',
  paper: '–',
  faithfulness: 'own',
  parameter: 'step',
  control: 'the last state’s change shrunk to the norm of the checkpoint’s',
  settings,
  trains: 'once',
  // Evaluated steps before the last, where nothing else is asked.
  most: () => 3,
  async open(_, of) {
    const [{ trainings }, { tunedOf }] = await Promise.all([
      import('./trained.ts'),
      import('../arm-adapter.ts'),
    ])
    const plan = of.plan!
    const values = plan.evaluateAt
      .filter((step) => step > 0 && step < plan.training.steps)
      .toReversed()
    const states = new Map<number, FinishedArm>()
    const again = trainings(of, { remedy: earlyStop.name, values })
    const keep = (state: FinishedArm) => {
      states.set(state.key.step, copied(state))
      return Promise.resolve()
    }
    if (values.length > 0) {
      const asked = { role: 'tried', value: values[0]! } as const
      await again.along(asked, { ...plan, evaluateAt: values.toReversed() }, keep)
    }
    const at = (step: number): MadeWeights => {
      const trained = states.get(step)!
      return { ...tunedOf(of.base, trained).weights, trained }
    }
    return {
      values,
      at,
      control(step) {
        const factor = Math.sqrt(squaredChange(of, at(step)) / squaredChange(of, of.tuned.weights))
        return changedWeights(of, (tensor) => scaled(tensor, factor))
      },
      close: () => again.close(),
    }
  },
}

/** The training goes on in the same arrays. */
function copied(state: FinishedArm): FinishedArm {
  const parameters = [...state.parameters].map(
    ([name, { shape, data }]) => [name, { shape, data: data.slice() }] as const,
  )
  return { ...state, parameters: new Map(parameters) }
}

/** ‖W − W_base‖² over all weights. */
const squaredChange = ({ base }: FineTune, made: MadeWeights): number =>
  [...base.model.weights.keys()].reduce(
    (sum, name) => sum + squaredDistance(made.read(name), base.weights.get(name)!),
    0,
  )
