/** @file What a step of each compared method costs on the digit reader: processor time, and what is counted. */
import { bindMethod } from '../../../evals/finetune/registry.ts'
import { optimizerGroups } from '../../../evals/finetune/training/parameters.ts'
import { newOptimizerState, openLearner } from '../../../evals/finetune/training/train.ts'
import { openTraining } from '../../../evals/finetune/training/train-graph.ts'
import { median } from '../../../evals/statistics/median.ts'
import { digitReader, startingWeights } from '../../../evals/sweeps/testbeds/tuned/reader.ts'
import { tunedSplit } from '../../../evals/sweeps/testbeds/tuned/rows.ts'

const RANKS = [8, 64]
const [ROUNDS, STEPS] = [15, 60]
const MICROSECONDS = 1e-3
const RANKED = [
  { title: 'LoRA', name: 'lora', config: {} },
  { title: 'GGPO', name: 'ggpo', config: { sigma: 0.1 } },
  { title: 'isotropic noise', name: 'ggpo', config: { sigma: 0.1, shape: 'isotropic' } },
  { title: 'MGPO', name: 'mgpo', config: {} },
]
const METHODS = [
  ...RANKS.flatMap((rank) =>
    RANKED.map(({ title, name, config }) => ({
      title: `${title}, rank ${rank}`,
      name,
      config: { ...config, rank, alpha: 2 * rank },
    })),
  ),
  { title: 'full', name: 'full', config: {} },
]

async function opened({ title, name, config }: (typeof METHODS)[number]) {
  const model = digitReader(64)
  const method = bindMethod({ name, config })
  const batch = tunedSplit({ samples: 120, labelNoise: 0.2 }, 0).training
  const session = await openTraining({
    ...{ model, weights: startingWeights(model, 0), method, seed: 0, maxPositions: 64 },
    device: { name: 'cpu', threads: 1 },
  })
  const state = newOptimizerState(session.parameters, session.memorySize)
  const learner = await openLearner(state, {
    ...{ session, seed: 0, groups: optimizerGroups(session.table, false) },
    config: {
      ...{ beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
      ...{ gradientAccumulationSteps: 1, steps: ROUNDS * STEPS },
    },
  })
  let passes = 0
  const counted = async () => {
    const before = process.cpuUsage()
    for (let step = 0; step < STEPS; step++) {
      await learner.add(batch)
      passes++
      await learner.norm()
      await learner.update(0.002, 1)
    }
    const { user, system } = process.cpuUsage(before)
    return (MICROSECONDS * (user + system)) / STEPS
  }
  /** Numbers that stand beside parameters and moments while a gradient is computed. */
  const held = () => {
    const { parameters, firstMoment, memory } = state
    const at = { step: state.step, steps: ROUNDS * STEPS, microBatch: 0, seed: 0 }
    const moved = method.perturb?.({
      parameters,
      firstMoment,
      memory,
      ...at,
      layout: session.layout,
    })
    const inputs = [...(moved?.inputs?.values() ?? [])].reduce((sum, data) => sum + data.length, 0)
    return memory.length + inputs + (moved?.parameters?.length ?? 0)
  }
  return { title, session, counted, held, passes: () => passes }
}

/** Rounds of all methods in turn, so that what else the machine does meets them alike. */
export async function costs(
  tableOf: (head: readonly string[], rows: readonly (readonly string[])[]) => string,
): Promise<string> {
  const all = await Promise.all(METHODS.map(opened))
  const times = new Map(all.map(({ title }) => [title, [] as number[]]))
  for (let round = 0; round < ROUNDS; round++)
    for (const { title, counted } of all) times.get(title)!.push(await counted())
  const first = times.get(all[0]!.title)!
  const rows = all.map(({ title, session, held, passes }) => {
    const own = times.get(title)!
    const ratios = own.map((time, round) => time / first[round]!)
    return [
      title,
      median(own).toFixed(2),
      median(ratios).toFixed(2),
      String(passes() / (ROUNDS * STEPS)),
      String(session.table.trained),
      String(3 * session.table.size),
      String(held()),
    ]
  })
  for (const { session } of all) await session.release()
  const table = tableOf(
    [
      ...['Method', 'processor time, ms', 'times the first', 'gradients a step', 'trained numbers'],
      ...['parameters and moments held', 'held beside them'],
    ],
    rows,
  )
  return `The digit reader of width 64, 120 rows, medians of ${ROUNDS} rounds of ${STEPS} steps in turn; the counts do not depend on the machine:\n\n${table}`
}
