/**
 * @file `npm run bench:directional`: does each fine-tuning method move in the direction that its paper claims, on toys of seconds?
 * Reported as "k of n" seeds, never as a pass: a toy is no evidence about a real model, and a claim may fail on it.
 * Flags: --seeds 10, --only NAME (may repeat), --out FILE.
 */
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { namedViews } from '../../evals/finetune/training/parameters.ts'
import { splitWeight } from '../../evals/finetune/methods/lq-lora.ts'
import { bindMethod } from '../../evals/finetune/registry.ts'
import {
  newOptimizerState,
  train,
  type TrainingConfig,
} from '../../evals/finetune/training/train.ts'
import type { TrainingSession } from '../../evals/finetune/training/session.ts'
import { sitesOf } from '../../evals/finetune/training/prepare.ts'
import { openTraining } from '../../evals/finetune/training/train-graph.ts'
import { makeBatch } from '../../evals/finetune/training/dataset.ts'
import { openCached, type ModelState } from '../../evals/inference/cached-graph.ts'
import { scoreTexts } from '../../evals/inference/score.ts'
import { normalFloat } from '../../evals/models/weights/compression/normal-float.ts'
import { randomStream } from '../../evals/statistics/random.ts'
import { detectRebound } from '../../evals/sweeps/detectors/rebound.ts'
import { randomIds, tinyModel, type TinyModel } from '../doubles/models/tiny-model.ts'
import { tinyExperts } from '../doubles/models/tiny-adapter.ts'
import { tinyExamples, tinyPlan } from '../doubles/training/tiny-training.ts'

const EXAMPLES = tinyExamples(32)
const WHOLE = makeBatch(EXAMPLES, 0)

interface Setting {
  readonly method: string
  readonly config?: object
  readonly training?: Partial<TrainingConfig>
}

interface Trained {
  readonly tiny: TinyModel
  readonly losses: readonly number[]
  readonly session: TrainingSession
  /** Loss on every row at the end, unperturbed. */
  readonly final: number
}

async function trained(
  { method, config = {}, training = {} }: Setting,
  seed: number,
): Promise<Trained> {
  const tiny = tinyModel({ seed: 100 + seed })
  const session = await openTraining({
    model: tiny.model,
    weights: tiny.weights,
    method: bindMethod({ name: method, config: { ...config } }),
    seed,
    maxPositions: 32,
    device: { name: 'cpu', threads: 1 },
    data: { examples: EXAMPLES, padId: 0 },
  })
  const state = newOptimizerState(session.parameters, session.memorySize)
  const plan = tinyPlan({ steps: 40, batchSize: 11, weightDecay: 0, ...training })
  const options = { session, examples: EXAMPLES, padId: 0, config: plan, seed }
  const rest = { signal: new AbortController().signal, lastGood: () => 'a toy keeps none' }
  const losses: number[] = []
  for await (const { loss } of train(state, { ...options, ...rest })) losses.push(loss)
  const { loss: final } = await session.gradients(WHOLE)
  return { tiny, losses, session, final }
}

async function measured(
  setting: Setting,
  seed: number,
  measure: (run: Trained) => number | Promise<number>,
) {
  const run = await trained(setting, seed)
  const value = await measure(run)
  await run.session.release()
  return value
}

interface Experiment {
  readonly method: string
  readonly claim: string
  /** What is compared, of the method and of its reference; the claim holds where the first is at most the second. */
  run(seed: number): Promise<readonly [number, number]>
}

const finalLoss = ({ final }: Trained) => final

/** The method's loss after 40 steps against LoRA's, everything else alike. */
const learnsFaster = (method: string, more: object = {}, reference = 'lora'): Experiment => ({
  method,
  claim: `after 40 steps the loss is at most that of ${reference}`,
  run: async (seed) => [
    await measured(
      { method, config: { ...(method === 'full' ? {} : { rank: 4 }), ...more } },
      seed,
      finalLoss,
    ),
    await measured({ method: reference, config: { rank: 4 } }, seed, finalLoss),
  ],
})

/** Near the edge of stability: a high rate, a constant schedule, no clipping. */
const ROUGH: Partial<TrainingConfig> = {
  steps: 250,
  learningRate: 0.08,
  schedule: 'constant',
  warmupSteps: 0,
  maxGradientNorm: 0,
}
const reboundOf = ({ losses }: Trained) => detectRebound(losses).rebound ?? Infinity

const reboundsLess = (method: string, config: object): Experiment => ({
  method,
  claim: 'T7: near the edge of stability the loss rebounds no more than LoRA’s',
  run: async (seed) => [
    await measured({ method, config: { rank: 8, ...config }, training: ROUGH }, seed, reboundOf),
    await measured({ method: 'lora', config: { rank: 8 }, training: ROUGH }, seed, reboundOf),
  ],
})

/** E L(θ + ρ·z/‖z‖) − L(θ) over ten draws, ρ = 0.05 (docs/methods/training.md). */
async function sharpness({ session, final }: Trained): Promise<number> {
  const { normal } = randomStream(1, 'sharpness')
  let sum = 0
  for (let draw = 0; draw < 10; draw++) {
    const z = Float64Array.from(session.parameters, normal)
    const norm = Math.sqrt(z.reduce((total, x) => total + x * x, 0))
    const parameters = session.parameters.map((θ, i) => θ + (0.05 * z[i]!) / norm)
    sum += (await session.gradients(WHOLE, { parameters })).loss - final
  }
  return sum / 10
}

const endsFlatter = (method: string, config: object): Experiment => ({
  method,
  claim: 'after 150 steps the loss is no sharper in the adapter’s parameters than LoRA’s',
  run: async (seed) => {
    const training = { steps: 150 }
    return [
      await measured({ method, config: { rank: 8, ...config }, training }, seed, sharpness),
      await measured({ method: 'lora', config: { rank: 8 }, training }, seed, sharpness),
    ]
  },
})

/** BA-LoRA with its consistency alone. */
const PULLED = { rank: 4, consistency: 0.3, diversity: 0, concentration: 0 }

/** Mean |log p(token) − log p₀(token)| over other texts, of the tuned model and its base. */
async function driftFromBase({ session, tiny }: Trained): Promise<number> {
  const texts = Array.from({ length: 8 }, (_, i) => ({
    ...{ key: `text ${i}`, from: 1 },
    ids: randomIds(`other ${i}`, 12, tiny.options.vocab),
  }))
  const scores = async (state: ModelState) => {
    const opened = await openCached(state, { name: 'cpu', threads: 1 }, 32)
    const signal = new AbortController().signal
    const found = await scoreTexts(texts, {
      ...{ session: opened, varying: {}, padId: 0, batchSize: 1, signal },
    })
    await opened.release()
    return found.flatMap((text) => [...text])
  }
  const frozen = new Map(session.weights)
  for (const [name, { data }] of namedViews(session.table, session.parameters))
    frozen.set(name, data)
  const base = await scores({ model: tiny.model, frozen: tiny.weights })
  const tuned = await scores({ model: tiny.model, frozen, method: session.method })
  return tuned.reduce((sum, x, i) => sum + Math.abs(x - base[i]!), 0) / tuned.length
}

/** −‖B‖_F over all layers after 20 steps of plain gradient descent. */
async function sizeOfB({ method, config = {} }: Setting, seed: number): Promise<number> {
  return measured(
    { method, config, training: { steps: 1, warmupSteps: 1 } },
    seed,
    async ({ session }) => {
      const { parameters, table } = session
      for (let step = 0; step < 20; step++) {
        const { flat } = await session.gradients(WHOLE)
        for (const { start, end, learningRateScale } of table.slices)
          for (let i = start; i < end; i++)
            parameters[i] = parameters[i]! - 0.05 * learningRateScale * flat[i]!
      }
      const B = table.slices.filter(({ name }) => name.endsWith('lora_B.weight'))
      const squares = B.flatMap(({ start, end }) =>
        [...parameters.subarray(start, end)].map((x) => x * x),
      )
      return -Math.sqrt(squares.reduce((total, x) => total + x, 0))
    },
  )
}

/** Σ ‖W − Q − s·B·A‖_F over the layers, and Σ ‖W − Q‖_F. */
function splitErrors(seed: number): readonly [number, number] {
  const { model, weights } = tinyModel({ seed: 100 + seed })
  const storage = normalFloat(3)
  let [split, alone] = [0, 0]
  for (const site of sitesOf(model)) {
    const W = weights.get(`${site.name}.weight`)!
    split += splitWeight(W, site, storage, { rank: 4, scale: 4, alternations: 20 }).error
    const Q = storage.roundTrip(W, site.outFeatures)
    alone += Math.hypot(...W.map((w, i) => w - Q[i]!))
  }
  return [split, alone]
}

/** Loss on every row of the whole model, with the recovered adapter and without. */
async function recoveredLoss(seed: number): Promise<readonly [number, number]> {
  const run = await trained({ method: 'loram', config: { rank: 4, prune: 0.5 } }, seed)
  const { session, tiny } = run
  const views = namedViews(session.table, session.parameters)
  const { tensors } = session.method.toPeft!(views, '', session.prepared)
  const whole = await openTraining({
    model: tiny.model,
    weights: tiny.weights,
    method: bindMethod({ name: 'lora', config: { rank: 4 } }),
    ...{ seed, maxPositions: 32, device: { name: 'cpu', threads: 1 } },
  })
  const parameters = new Float32Array(whole.table.size)
  for (const { name, start } of whole.table.slices) parameters.set(tensors.get(name)!.data, start)
  const { loss: before } = await whole.gradients(WHOLE)
  const { loss } = await whole.gradients(WHOLE, { parameters })
  await session.release()
  await whole.release()
  return [loss, before]
}

const EXPERIMENTS: readonly Experiment[] = [
  {
    method: 'lora',
    claim: 'after 40 steps the loss at rank 8 is at most that at rank 1, alpha = 2·rank',
    run: async (seed) => [
      await measured({ method: 'lora', config: { rank: 8, alpha: 16 } }, seed, finalLoss),
      await measured({ method: 'lora', config: { rank: 1, alpha: 2 } }, seed, finalLoss),
    ],
  },
  {
    method: 'full',
    claim: 'after 40 steps at the same rate the loss is at most that of lora',
    run: (seed) => learnsFaster('full', { learningRateScale: 1 }).run(seed),
  },
  reboundsLess('ggpo', { sigma: 0.03, beta: 0.01 }),
  reboundsLess('mgpo', { rho: 0.05 }),
  endsFlatter('ggpo', { sigma: 0.1 }),
  endsFlatter('mgpo', { rho: 0.05 }),
  {
    method: 'allora',
    claim:
      'after 20 steps of gradient descent ‖B‖ is at least that of LoRA at the same base rate (η² = 4, s = 1)',
    run: async (seed) => [
      await sizeOfB({ method: 'allora', config: { rank: 4, etaSquared: 4 } }, seed),
      await sizeOfB({ method: 'lora', config: { rank: 4, alpha: 4 } }, seed),
    ],
  },
  learnsFaster('lora-ga'),
  {
    method: 'ba-lora',
    claim:
      'after 40 steps at λ₁ = 0.3 texts that it was not trained on are no farther from the base’s log-probabilities than with PiSSA',
    run: async (seed) => [
      await measured({ method: 'ba-lora', config: PULLED }, seed, driftFromBase),
      await measured({ method: 'pissa', config: { rank: 4 } }, seed, driftFromBase),
    ],
  },
  learnsFaster('ba-lora', {}, 'pissa'),
  {
    method: 'lora-sb',
    claim: 'its start alone already has at most the base’s loss',
    run: async (seed) => {
      const training = { steps: 1, learningRate: 1e-9 }
      return [
        await measured(
          { method: 'lora-sb', config: { rank: 4, startRate: 2e-3 }, training },
          seed,
          finalLoss,
        ),
        await measured({ method: 'lora', config: { rank: 4 }, training }, seed, finalLoss),
      ]
    },
  },
  learnsFaster('lora-moe'),
  {
    method: 'x-lora',
    claim:
      'after 40 steps of its classifier the loss is at most that of its adapters in equal shares',
    run: async (seed) => {
      const adapters = await tinyExperts(tinyModel({ seed: 100 + seed }).model)
      const config = { rank: 2, adapters }
      const still = { steps: 1, learningRate: 1e-9 }
      return [
        await measured({ method: 'x-lora', config }, seed, finalLoss),
        await measured({ method: 'x-lora', config, training: still }, seed, finalLoss),
      ]
    },
  },
  {
    method: 'lq-lora',
    claim: 'at 3 bits and rank 4 its split is nearer to the weights than quantising alone',
    run: (seed) => Promise.resolve(splitErrors(seed)),
  },
  {
    method: 'loram',
    claim: 'trained with half of heads and channels gone, recovered it has at most the base’s loss',
    run: recoveredLoss,
  },
  {
    method: 'lora-prune',
    claim:
      'after 40 steps with half of heads and channels gone the loss is at most that of a model cut by magnitude before it was tuned',
    run: async (seed) => [
      await measured(
        { method: 'lora-prune', config: { rank: 4, prune: 0.5, pruneEdges: true } },
        seed,
        finalLoss,
      ),
      await measured({ method: 'loram', config: { rank: 4, prune: 0.5 } }, seed, finalLoss),
    ],
  },
  learnsFaster('rslora'),
  learnsFaster('dora'),
  learnsFaster('pissa'),
  learnsFaster('olora'),
  {
    method: 'lora-plus',
    claim:
      'after 40 steps the loss is at most that of lora at the same geometric mean of both rates',
    run: async (seed) => {
      // λ = 16: A at a quarter of LoRA's rate, B at four times it.
      const training = { learningRate: 1e-2 / 4 }
      return [
        await measured({ method: 'lora-plus', config: { rank: 4 }, training }, seed, finalLoss),
        await measured({ method: 'lora', config: { rank: 4 } }, seed, finalLoss),
      ]
    },
  },
  {
    method: 'lora-fa',
    claim: 'with A fixed, the loss after 40 steps is at least LoRA’s',
    run: async (seed) => [
      await measured({ method: 'lora', config: { rank: 4 } }, seed, finalLoss),
      await measured({ method: 'lora-fa', config: { rank: 4 } }, seed, finalLoss),
    ],
  },
]

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '10' },
    only: { type: 'string', multiple: true },
    out: { type: 'string' },
  },
})
const seeds = Array.from({ length: Number(values.seeds) }, (_, seed) => seed)
const results = []
for (const experiment of EXPERIMENTS) {
  const { method, claim } = experiment
  if (values.only && !values.only.includes(method)) continue
  const pairs: (readonly [number, number])[] = []
  for (const seed of seeds) pairs.push(await experiment.run(seed))
  const held = pairs.filter(([value, reference]) => value <= reference).length
  process.stdout.write(`${method}: ${claim}: ${held} of ${seeds.length}\n`)
  const rounded = pairs.map((pair) => pair.map((value) => Number(value.toPrecision(6))))
  results.push({ method, claim, held, of: seeds.length, valueAndReference: rounded })
}
if (values.out !== undefined) {
  const note =
    'Toys of seconds on a random two-layer Llama: directions, not evidence about real models.'
  const pretty = JSON.stringify({ command: 'npm run bench:directional', note, results }, null, 2)
  // Pairs on one line each.
  const text = pretty.replaceAll(/\[\s+([^\s,[]+),\s+([^\s\]]+)\s+\]/gu, '[$1, $2]')
  await writeFile(values.out, `${text}\n`)
}
