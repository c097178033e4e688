/** @file What remedies cost in a plan: every value on one half of the prompts, the chosen one and its control on the other. */
import { counted } from '../../contract/words.ts'
import type { PlanLine } from '../../contract/job.ts'
import type { AskedRemedy } from '../../arms/remedies/remedy.ts'

/** Of one fine-tune. */
interface Cost {
  readonly fineTunes: number
  /** Seconds of its training, and of asking one state every prompt. */
  readonly training: number
  readonly asking: number
  readonly prompts: number
}

export const remedyLines = (
  remedies: readonly AskedRemedy[],
  { fineTunes, training, asking, prompts }: Cost,
): PlanLine[] =>
  remedies.map(({ title, most, trains }) => {
    const states = most + 2
    const trained = { never: 0, once: 1, each: most + 1 }[trains]
    const again = trained > 0 ? `, with ${counted(trained, 'training')}` : ''
    return {
      what: `${title}: at most ${counted(most, 'value')} on half of the prompts, the one that is chosen and its control on the other half${again}; of ${counted(fineTunes, 'fine-tune')}`,
      count: Math.ceil((fineTunes * states * prompts) / 2),
      unit: 'prompt',
      seconds: fineTunes * ((states * asking) / 2 + trained * training),
    }
  })
