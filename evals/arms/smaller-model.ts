/** @file A pruned arm in its true smaller shapes, where the family's configuration can say them: one size for all layers. */
import type { JsonObject } from '../files/read-file.ts'
import { cutTo } from '../finetune/cut.ts'
import type { CutModel } from '../finetune/method.ts'
import type { Base } from '../measure/base.ts'
import type { TunedWeights } from '../models/weights/tuned-weights.ts'

export interface SmallerModel extends CutModel {
  readonly config: JsonObject
}

/** Undefined where layers differ in size, or the configuration names its sizes elsewhere. */
export function smallerModel(
  { model, open }: Pick<Base, 'model' | 'open'>,
  tuned: TunedWeights,
  kept: CutModel['kept'],
): SmallerModel | undefined {
  const { config } = open.checkpoint
  const { architecture } = model
  if (architecture.kind !== 'decoder' || !('intermediate_size' in config)) return undefined
  const { weights: specs } = cutTo({ model }, kept).model
  const gates = [...specs.values()].filter(({ name }) => name.endsWith('.gate_proj.weight'))
  const sizes = architecture
    .attention(model.config, specs)
    .map(
      ({ heads, kvHeads, headDim }, i) => [heads, kvHeads, headDim, gates[i]!.shape[0]!] as const,
    )
  const [first] = sizes
  if (!first || !sizes.every((own) => own.join() === first.join())) return undefined
  const [heads, kvHeads, headDim, inner] = first
  const weights = new Map([...model.weights.keys()].map((name) => [name, tuned.read(name)]))
  const own = {
    num_attention_heads: heads,
    num_key_value_heads: kvHeads,
    head_dim: headDim,
    intermediate_size: inner,
  }
  return { ...cutTo({ model, weights }, kept), config: { ...config, ...own } }
}
