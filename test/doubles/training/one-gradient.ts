/** @file Loss and gradient of a method on a model, at parameters none of which is zero: beside a B of zeros A has no gradient. */
import { makePackedBatch, type Example } from '../../../evals/finetune/training/dataset.ts'
import { bind, type BoundMethod, type FineTuneMethod } from '../../../evals/finetune/method.ts'
import { openTraining, type TrainingOptions } from '../../../evals/finetune/training/train-graph.ts'
import type { Model } from '../../../evals/models/registry.ts'
import { smallConfig } from '../models/tiny-adapter.ts'
import { tinyExamples } from './tiny-training.ts'

export type Differentiated = Pick<TrainingOptions, 'model' | 'weights'> &
  Partial<Pick<TrainingOptions, 'checkpointing' | 'forward' | 'labelled'>> & {
    readonly method: FineTuneMethod
    readonly examples?: readonly Example[]
  }

export const vocabularyOf = ({ weights }: Pick<Model, 'weights'>): number =>
  [...weights.values()].find(({ kind }) => kind === 'embedding')!.shape[0]!

/** With a small rank, where the method has one. */
export const bindSmall = (method: FineTuneMethod): BoundMethod =>
  bind(method, method.name === 'full' ? {} : { rank: 2 })

export async function gradientOf({ examples: given, ...asked }: Differentiated) {
  const { model, method } = asked
  const conversed = tinyExamples(vocabularyOf(model)).slice(0, 4)
  const usual =
    model.architecture.kind === 'encoder'
      ? conversed.map(({ ids }, i) => ({ ids, label: i % 2 }))
      : conversed
  const examples = given ?? usual
  const session = await openTraining({
    ...asked,
    method: bind(method, method.name === 'full' ? {} : await smallConfig(method, model)),
    seed: 3,
    maxPositions: 32,
    device: { name: 'cpu', threads: 1 },
    data: { examples, padId: 0 },
  })
  session.setParameters(session.parameters.map((x, i) => x + 0.01 * Math.sin(i)))
  const { loss, flat } = await session.gradients(makePackedBatch(examples, 0))
  await session.release()
  return { loss, flat, nodes: session.nodes }
}
