/**
 * @file LoRAM: LoRA is trained on a copy of the base from which heads and channels are cut, and recovered to the base's size (Zhang
 * et al. 2025, §3, structured pruning): with kept rows and columns of each layer, rows of B go to the original outputs and columns of
 * A to the original inputs, zeros elsewhere; what answers is W + s·B·A on the whole base. The cut model is asked too.
 * See docs/methods/compressed-training.md.
 */
import { z } from 'zod'
import { cutTo, groupsOf, highest, keptChannels, magnitudes, spread, type Groups } from '../cut.ts'
import type { FineTuneMethod, KeptChannels, Prepared } from '../method.ts'
import type { PeftTensor } from '../../models/formats/peft-folder.ts'
import { additive, asPeftFolder, LORA_A, lowRankFields, peftConfigOf } from './low-rank.ts'
import { realNumber } from '../settings.ts'

const config = z.object({
  ...lowRankFields,
  prune: realNumber({ min: 0, max: 0.95 }, 0.25, {
    label: 'Pruned share',
    help: 'Of the heads and of the channels of each layer that are left out in training, the smallest in magnitude',
  }),
})

export const loram: FineTuneMethod<z.infer<typeof config>> = {
  name: 'loram',
  title: 'LoRAM',
  paper: 'arXiv:2502.13533',
  faithfulness: 'simplified',
  notes: [
    'Structured pruning by magnitude in every layer; no alignment of the pruned model by further pre-training, and all linear layers of the blocks are adapted, not the head.',
    'Two states are asked: the arm is the recovered adapter on the whole base, and its name with :pruned the model that was trained.',
    'For gated decoders with separate projections (Llama, Mistral, Qwen, Gemma, SmolLM3). At least one group of a layer is kept.',
    'Beside a base in NF4 (QLoRAM) the groups are chosen by its values, and what is kept of them is quantised again.',
  ],
  config,
  mergeable: true,
  identityAtStart: true,

  hooks({ prune, ...lowRank }) {
    const peft = peftConfigOf(lowRank)
    return {
      attach: additive(peft).attach,
      cut(base) {
        const { weights } = base
        const keptOf = (groups: Groups) => {
          const gone = Math.min(groups.count - 1, Math.floor(prune * groups.count))
          // Which groups are kept does not change the shapes.
          const scores = weights
            ? magnitudes(groups, (name) => weights.get(name)!)
            : new Float64Array(groups.count)
          return keptChannels(groups, highest(scores, gone))
        }
        return cutTo(base, new Map(groupsOf(base.model, loram.title).flatMap(keptOf)))
      },
      toPeft: (tensors, base, prepared) =>
        asPeftFolder(recovered(tensors, prepared?.kept), peft, base),
    }
  },
}

/** A `[r, in]` and B `[out, r]` of each layer at the base's size. */
function recovered(
  tensors: ReadonlyMap<string, PeftTensor>,
  kept: Prepared['kept'] = new Map(),
): Map<string, PeftTensor> {
  const whole = ([name, tensor]: [string, PeftTensor]): [string, PeftTensor] => {
    const isA = name.endsWith(LORA_A)
    const found = kept.get(name.replace(/\.lora_[AB]\.weight$/u, ''))
    const [rows, columns] = tensor.shape as [number, number]
    const part: KeptChannels | undefined =
      found &&
      (isA
        ? { whole: [rows, found.whole[1]], columns: found.columns }
        : { whole: [found.whole[0], columns], rows: found.rows })
    return [name, part ? { shape: part.whole, data: spread(tensor.data, part) } : tensor]
  }
  return new Map([...tensors].map(whole))
}
