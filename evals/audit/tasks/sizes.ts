/**
 * @file What the training of each arm holds, without activations: the network once, and for each trained number a gradient and two
 * moments, all in float32; an adapter's numbers lie beside the network. A teacher is the network itself without its adapter, so a
 * fine-tune in full holds it twice (Golnari 2023).
 */
import type { TaskContent } from '../../contract/tasks/task-rows.ts'
import { bind } from '../../finetune/method.ts'
import { armNameOf, type MethodChoice } from '../../finetune/method-choice.ts'
import { findMethod } from '../../finetune/registry.ts'
import { trainedSize } from '../../finetune/training/trained-size.ts'
import { recognise } from '../../models/registry.ts'
import type { PreparedTask } from './task.ts'

const BYTES = 4
/** Gradient and both moments. */
const OPTIMISED = 3

export function sizesOf(
  { model: { config }, fromBase }: Pick<PreparedTask, 'model' | 'fromBase'>,
  arms: readonly MethodChoice[],
): NonNullable<TaskContent['sizes']> {
  const model = recognise({ path: config.model_type, config, weights: new Map() }, 'make')
  const numbers = [...model.weights.values()].reduce(
    (sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1),
    0,
  )
  return arms.map((choice) => {
    const { trained, ofBase } = trainedSize(model, bind(findMethod(choice.name), choice.config))
    const copies = ofBase === numbers && fromBase ? 2 : 1
    const held = copies * numbers + (trained - ofBase) + OPTIMISED * trained
    return { arm: armNameOf(choice), trained, bytes: BYTES * held }
  })
}
