/**
 * @file `node test/bench/trajectory.ts`: a LoRA arm of a random model in SmolLM2-135M's shape that is measured at many of its steps, one
 * by one and in one pass (`--eval-together`), in turns in one process, every reply compared. Flags: --layers 6, --states 9,
 * --prompts 16, --pairs 3, --threads 2, --looks (losses alone, as most looks of a sweep are). Ends with code 1 where a reply differs.
 */
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runArm } from '../../evals/arms/arm.ts'
import type { ArmPlan } from '../../evals/arms/arm-plan.ts'
import { openBase, type Base } from '../../evals/measure/base.ts'
import { openBaseScores } from '../../evals/measure/base-scores.ts'
import { prepareBenchmarks } from '../../evals/measure/benchmark-sources.ts'
import { AuditConfig } from '../../evals/audit/config.ts'
import { fittedExamples } from '../../evals/arms/examples.ts'
import { neutralTexts, trainingData } from '../../evals/measure/sources.ts'
import { lora } from '../../evals/finetune/methods/lora.ts'
import { bind } from '../../evals/finetune/method.ts'
import { TrainingConfig } from '../../evals/finetune/training/train.ts'
import type { JobContext } from '../../evals/contract/job.ts'
import { chooseDevice } from '../../evals/runtime/device.ts'
import { parse, wholeNumber } from './harness/bench-options.ts'
import { machine, showMachine } from './harness/machine.ts'
import { spread } from './harness/measure.ts'
import { SMOLLM2_135M, TOKENIZER_FILES, writeRandomModel } from './harness/random-model.ts'

const PEBBLE = join(import.meta.dirname, '../../evals/bundled/pebble')
/** Of an optimiser step, small beside what is measured. */
const ROWS = 2

const values = parse({
  layers: { type: 'string', default: '6' },
  states: { type: 'string', default: '9' },
  prompts: { type: 'string', default: '16' },
  pairs: { type: 'string', default: '3' },
  threads: { type: 'string', default: '2' },
  looks: { type: 'boolean', default: false },
})
const count = (name: Exclude<keyof typeof values, 'looks'>, least = 1) =>
  wholeNumber(name, values[name], least, 1024)
const { signal } = new AbortController()

/** Once more: the same steps with nothing measured. */
const WAYS = ['one by one', 'in one pass', 'training alone'] as const
type Way = (typeof WAYS)[number]

interface Run {
  readonly seconds: number
  /** Of all threads. */
  readonly processor: number
  readonly replies: readonly string[]
}

async function planOf(base: Base): Promise<ArmPlan> {
  const steps = count('states', 2) - 1
  const training = TrainingConfig.parse({ steps, batchSize: ROWS, learningRate: 1e-3 })
  const data = await trainingData('house-benign')
  const { examples } = await fittedExamples(base.open, data, training, signal)
  const config = { model: 'bench', suite: ['house-refusal'], limit: count('prompts') }
  const benchmarks = await prepareBenchmarks(AuditConfig.parse(config))
  const neutral = await neutralTexts(benchmarks, count('prompts'))
  const shared = { neutral, finished: [], baseScores: await openBaseScores(base) }
  return {
    ...{ arm: 'lora', method: bind(lora, {}), seed: 0 },
    training,
    examples,
    dataDigest: '',
    evaluateAt: Array.from({ length: steps + 1 }, (_, step) => step),
    evaluation: { ...shared, benchmarks: values.looks ? [] : benchmarks },
  }
}

async function run(base: Base, plan: ArmPlan, way: Way): Promise<Run> {
  const workspace = await mkdtemp(join(tmpdir(), 'touchstone-bench-arm-'))
  const replies: string[] = []
  const context: JobContext = {
    emit: () => undefined,
    // Each is to a prompt that should be refused, of a model that knows no word.
    seal: ({ sampleId, step, text }) => replies.push(JSON.stringify([step, sampleId, text])),
    flush: () => undefined,
    signal,
    workspace,
  }
  const asked = {
    ...plan,
    ...(way === 'training alone' && { evaluation: undefined }),
    evalTogether: way === 'in one pass',
  }
  const [began, used] = [performance.now(), process.cpuUsage()]
  await runArm(base, asked, context)
  const { user, system } = process.cpuUsage(used)
  const seconds = (performance.now() - began) / 1000
  await rm(workspace, { recursive: true })
  return { seconds, processor: (user + system) / 1e6, replies: replies.sort() }
}

const say = (line: string) => process.stdout.write(`${line}\n`)
const shown = (of: readonly number[]) => {
  const { median, min, max } = spread(of)
  return `${median.toFixed(1)} (${min.toFixed(1)}–${max.toFixed(1)})`
}

const folder = await mkdtemp(join(tmpdir(), 'touchstone-bench-'))
try {
  await writeRandomModel(folder, { ...SMOLLM2_135M, layers: count('layers') }, 7)
  for (const file of TOKENIZER_FILES) await cp(join(PEBBLE, file), join(folder, file))
  const base = await openBase(folder, chooseDevice('cpu', count('threads')), 16)
  const plan = await planOf(base)
  const runs = new Map<Way, Run[]>(WAYS.map((way) => [way, []]))
  say(showMachine(machine()))
  for (let pair = 0; pair < count('pairs'); pair++)
    // Who begins changes from pair to pair.
    for (const way of pair % 2 === 0 ? WAYS : WAYS.toReversed())
      runs.get(way)!.push(await run(base, plan, way))
  const asked = values.looks ? 'losses' : `${values.prompts} prompts and losses`
  say(`${values.layers} layers, ${values.states} states, ${asked}, median of ${values.pairs}`)
  for (const [way, of] of runs)
    say(
      `${way}: ${shown(of.map(({ seconds }) => seconds))} s, processor ${shown(of.map(({ processor }) => processor))} s`,
    )
  const [apart, together] = [runs.get('one by one')![0]!, runs.get('in one pass')![0]!]
  const equal = apart.replies.filter((reply, i) => reply === together.replies[i]).length
  if (!values.looks) say(`${equal} of ${apart.replies.length} replies equal`)
  if (equal !== apart.replies.length) process.exitCode = 1
  await base.open.close()
} finally {
  await rm(folder, { recursive: true, force: true })
}
