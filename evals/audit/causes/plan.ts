/** @file What looking for a cause takes: the fine-tunes of the run again, and what is trained and asked beside them. */
import type { AuditRows } from '../../contract/audit-rows.ts'
import type { PlanLine, Progress } from '../../contract/job.ts'
import { LEFT_OUT } from '../../contract/subjects/causes.ts'
import { counted } from '../../contract/words.ts'
import { MOST_MATRICES } from '../../arms/causes/parts.ts'
import { isHouseModel } from '../../measure/house-model.ts'
import type { AuditConfig } from '../config.ts'
import { countsOf } from '../plan/plan.ts'
import { plannedRanking } from '../plan/ranking.ts'
import { planAudit } from '../run-audit.ts'
import { benignData } from './benign.ts'
import type { AttributeConfig, DirectionConfig, LocateConfig } from './config.ts'
import { measuredAgain, trainedAgain } from './of-run.ts'
import { withStates } from './state-memory.ts'

type Stored = Pick<Progress, 'ended'>

/** Of the audit that a cause is looked for in. */
interface Once {
  readonly lines: readonly PlanLine[]
  /** Fine-tunes, and their steps each. */
  readonly arms: number
  readonly steps: number
  /** Seconds of one training, and of asking one state; null where no time is told. */
  readonly training: number | null
  readonly asking: number | null
  /** Prompts that a state is asked. */
  readonly prompts: number
}

async function once(config: AuditConfig): Promise<Once> {
  const lines = await withStates(await planAudit({ config, evaluates: true }), config)
  const { methods, seeds, training } = config
  const arms = methods.length * seeds.length
  const { steps } = training
  const { states } = countsOf(config, true)
  const own = (unit: PlanLine['unit']) => lines.filter((line) => line.unit === unit)
  const each = (unit: PlanLine['unit'], count: number) => {
    const seconds = own(unit).map((line) => line.seconds)
    return seconds.includes(null) ? null : sumOf(seconds as number[]) / Math.max(1, count)
  }
  const prompts = Math.round(sumOf(own('prompt').map(({ count }) => count)) / states)
  return {
    ...{ lines, arms, steps, prompts },
    training: each('step', arms),
    asking: each('prompt', states),
  }
}

const sumOf = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0)

const times = (count: number, seconds: number | null): number | null =>
  seconds === null ? null : count * seconds

const askedLine = (what: string, states: number, { prompts, asking }: Once): PlanLine => ({
  what: `${what}: ${counted(states, 'state')} of ${prompts} prompts`,
  count: states * prompts,
  unit: 'prompt',
  seconds: times(states, asking),
})

const trainedLine = (what: string, count: number, { steps, training }: Once): PlanLine => ({
  what: `${what}: ${counted(count, 'fine-tune')} of ${counted(steps, 'step')}`,
  count: count * steps,
  unit: 'step',
  seconds: times(count, training),
})

/** Tokens of a row in runs that did not store how many there were. */
const USUAL_TOKENS = 60

/** The largest training data of a run, and the mean tokens of a row. */
function rowsIn({ artifacts }: Pick<AuditRows, 'artifacts'>) {
  const data = artifacts.flatMap(({ content }) =>
    content?.kind === 'training-data' ? content : [],
  )
  const [most] = data.toSorted((a, b) => b.rows - a.rows)
  const { rows, tokens } = most ?? { rows: 0 }
  return { rows, tokens: tokens === undefined ? USUAL_TOKENS : tokens / Math.max(1, rows) }
}

export async function planAttribution(asked: AttributeConfig, stored: Stored): Promise<PlanLine[]> {
  const config = trainedAgain(asked, stored)
  const own = await once(config)
  const again = LEFT_OUT.length * own.arms
  const most = Math.min(asked.checkpoints, config.training.steps)
  const ranked = { ...rowsIn(stored.ended(asked.run).rows()), checkpoints: most }
  const { rows, checkpoints } = ranked
  const ranking = config.seeds.length * (await plannedRanking(config, ranked))
  return [
    ...own.lines,
    {
      what: `train again to ${counted(checkpoints, 'checkpoint')} and take the gradient of each of ${counted(rows, 'row')}`,
      count: rows * checkpoints * own.arms,
      unit: 'text',
      seconds: own.training === null ? null : ranking,
    },
    trainedLine('without the rows ranked first, at random and matched', again, own),
    askedLine('ask each of those', again, own),
  ]
}

/** As if there were as many matrices as are put back one by one at most. */
export async function planLocation(asked: LocateConfig, stored: Stored): Promise<PlanLine[]> {
  const own = await once(trainedAgain(asked, stored))
  const bisected = 1 + Math.ceil(Math.log2(MOST_MATRICES))
  const directions = 3 + asked.draws
  const states = own.arms * (bisected + asked.draws + directions)
  return [
    ...own.lines,
    askedLine('put sets of parts and of singular directions back, at most', states, own),
  ]
}

export async function planDirection(asked: DirectionConfig, stored: Stored): Promise<PlanLine[]> {
  const config = measuredAgain(asked, stored)
  const own = await once(config)
  const isHouse = await isHouseModel(config.model)
  const benign = await benignData(asked, isHouse)
  const methods = Math.max(1, config.methods.length)
  const tuned = own.arms + config.candidates.length
  return [
    ...own.lines,
    ...(benign
      ? [
          trainedLine(
            'on halves of benign rows, to hold changes beside',
            asked.draws * methods,
            own,
          ),
        ]
      : []),
    ...(isHouse && asked.steer
      ? [askedLine('steer base and fine-tunes, beside a control, at most', 2 * (1 + tuned), own)]
      : []),
  ]
}
