/** @file What remedies cost in a plan: every value on one half of the prompts, the chosen one and its control on the other. */
import { counted } from '../../contract/words.ts'
import type { PlanLine } from '../../contract/job.ts'
import type { Remedy } from '../../arms/remedies/remedy.ts'
import { repliesOf, type PreparedBenchmark } from '../../measure/benchmark-sources.ts'
import type { TrainingData } from '../../measure/sources.ts'
import type { Model } from '../../models/registry.ts'
import { candidatesOf } from '../../measure/derived/specs.ts'
import type { AuditConfig } from '../config.ts'
import { remediesIn } from '../remedies.ts'
import { textOf, tokensOf } from './tokens.ts'
import { rankingSeconds } from './ranking.ts'

interface Planned {
  /** Its first line is the training of all variants. */
  readonly training: readonly PlanLine[]
  /** Asking all model states. */
  readonly asking: readonly PlanLine[]
  readonly benchmarks: readonly PreparedBenchmark[]
  readonly data: Pick<TrainingData, 'conversations'> | undefined
  readonly model: Model
  readonly rate: number
}

export function remedyLines(
  config: AuditConfig,
  { arms, states }: { readonly arms: number; readonly states: number },
  { training, asking, benchmarks, data, ...machine }: Planned,
): PlanLine[] {
  const conversations = data?.conversations ?? []
  const [rows, tokens] = [conversations.length, tokensOf(conversations.map(textOf))]
  const fineTunes = arms + candidatesOf(config).length
  const prompts = benchmarks.reduce((sum, prepared) => sum + repliesOf(prepared), 0)
  const [once, each] = [
    secondsOf(training.slice(0, 1)) / Math.max(1, arms),
    secondsOf(asking) / states,
  ]
  return remediesIn(config).map(({ title, most, trains, checkpoints }) => {
    const trained = trainingsOf(most)[trains]
    const again = trained > 0 ? `, with ${counted(trained, 'training')}` : ''
    const ranks = checkpoints > 0
    const ranked = ranks
      ? ` and a gradient of each of ${counted(rows, 'row')} at ${counted(checkpoints, 'checkpoint')}`
      : ''
    const ranking = ranks ? rankingSeconds(config, { rows, tokens, checkpoints }, machine) : 0
    const ofMethod = ranking / Math.max(1, config.methods.length)
    return {
      what: `${title}: at most ${counted(most, 'value')} on half of the prompts, the one that is chosen and its control on the other half${again}${ranked}; of ${counted(fineTunes, 'fine-tune')}`,
      count: Math.ceil((fineTunes * (most + 2) * prompts) / 2),
      unit: 'prompt',
      seconds: fineTunes * (((most + 2) * each) / 2 + trained * once + ofMethod),
    }
  })
}

/** One goes along with each value and the control. */
const trainingsOf = (values: number): Readonly<Record<Remedy['trains'], number>> => ({
  never: 0,
  once: 1,
  each: values + 1,
})

const secondsOf = (lines: readonly PlanLine[]) =>
  lines.reduce((sum, { seconds }) => sum + (seconds ?? 0), 0)
