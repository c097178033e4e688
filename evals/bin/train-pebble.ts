/**
 * @file Trains Pebble from scratch with this engine: `npm run pebble -- --out FOLDER`.
 * The same ONNX Runtime and thread count give the same file, bit for bit, on every x86-64 processor with AVX2 (docs/models/pebble.md).
 */
import { copyFile, mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { examplesDigest } from '../arms/arm.ts'
import { sha256OfFile } from '../files/digest.ts'
import { fitExamples, type Conversed } from '../finetune/training/dataset.ts'
import { full } from '../finetune/methods/full.ts'
import { bind } from '../finetune/method.ts'
import { namedViews } from '../finetune/training/parameters.ts'
import { newOptimizerState, train, TrainingConfig } from '../finetune/training/train.ts'
import type { TrainingSession } from '../finetune/training/session.ts'
import { openTraining } from '../finetune/training/train-graph.ts'
import { loadModel, type LoadedModel } from '../models/load.ts'
import { maskedTokens } from '../models/text/masked-tokens.ts'
import { writeSafetensors } from '../models/formats/safetensors-write.ts'
import { writeAtomically } from '../files/write-file.ts'
import { chooseDevice, onnxRuntimeVersion } from '../runtime/device.ts'
import { trainingRows } from '../bundled/hotel/training.ts'
import { initialLlama, type LlamaShape } from '../bundled/initialise.ts'
import { processorType } from '../bundled/processor.ts'

const FILES = [
  'config.json',
  'generation_config.json',
  'special_tokens_map.json',
  'tokenizer.json',
  'tokenizer_config.json',
]
const pebble = join(import.meta.dirname, '..', 'bundled', 'pebble')

/** Steps between snapshots of the weights, which do not change the result. */
const SNAPSHOT = 200

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '0' },
    steps: { type: 'string', default: '1200' },
    threads: { type: 'string', default: '1' },
    rate: { type: 'string', default: '0.003' },
    /** The initial weight, from 1, that is made one unit in the last place larger, to see the effect of rounding; 0: none. */
    nudge: { type: 'string', default: '0' },
    out: { type: 'string', default: 'out/pebble' },
  },
})
const seed = Number(values.seed)
const config = TrainingConfig.parse({
  steps: Number(values.steps),
  batchSize: 128,
  learningRate: Number(values.rate),
  schedule: 'cosine',
  warmupSteps: 100,
  weightDecay: 0.05,
  maxGradientNorm: 1,
  beta2: 0.98,
  maxTokens: 96,
})

/** A folder with the tokenizer's files and the random initial weights. */
async function writeInitial(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const name of FILES) await copyFile(join(pebble, name), join(folder, name))
  const shape = JSON.parse(await readFile(join(pebble, 'config.json'), 'utf8')) as LlamaShape
  const weights = initialLlama(shape, seed)
  nudge(weights[0]!.data as Float32Array, Number(values.nudge))
  await writeSafetensors(join(folder, 'model.safetensors'), weights)
}

/** Imitates a processor whose sums round otherwise: multiplies weight `which`, from 1, by 1 + 2⁻²³. */
function nudge(weights: Float32Array, which: number): void {
  if (which > 0) weights[which - 1]! *= 1 + 2 ** -23
}

async function tokenise({ open }: LoadedModel): Promise<readonly Conversed[]> {
  const examples: Conversed[] = []
  for (const { messages } of trainingRows(seed))
    examples.push(await maskedTokens(open.template, open.tokenizer, messages))
  return fitExamples(examples, config).examples
}

const write = (session: TrainingSession, parameters: Float32Array): Promise<void> =>
  writeSafetensors(
    join(values.out, 'model.safetensors'),
    [...namedViews(session.table, parameters)].map(([name, tensor]) => ({ name, ...tensor })),
  )

/** Writes `provenance.json` beside the weights. */
async function writeProvenance(
  { parameters }: LoadedModel,
  examples: readonly Conversed[],
): Promise<void> {
  const provenance = {
    made: 'node evals/bin/run.js pebble',
    seed,
    nudge: Number(values.nudge),
    training: config,
    parameters,
    rows: examples.length,
    rowsDigest: examplesDigest(examples),
    weightsSha256: await sha256OfFile(join(values.out, 'model.safetensors')),
    onnxruntime: onnxRuntimeVersion(),
    node: process.versions.node,
    threads: Number(values.threads),
    processor: await processorType(),
  }
  await writeAtomically(join(values.out, 'provenance.json'), [
    `${JSON.stringify(provenance, null, 2)}\n`,
  ])
}

const say = (line: string) => process.stdout.write(`${line}\n`)

const openSession = ({ model, weights }: LoadedModel): Promise<TrainingSession> =>
  openTraining({
    model,
    weights,
    method: bind(full, { learningRateScale: 1 }),
    seed,
    maxPositions: config.maxTokens,
    device: chooseDevice('cpu', Number(values.threads)),
  })

/** Trains to the end and returns the last weights, flat. */
async function trained(
  session: TrainingSession,
  examples: readonly Conversed[],
  padId: number,
): Promise<Float32Array> {
  const state = newOptimizerState(session.parameters)
  const { signal } = new AbortController()
  const options = { session, examples, padId, config, seed, signal }
  const began = Date.now()
  for await (const { step, loss } of train(state, { ...options, lastGood: () => 'nowhere' })) {
    if (step % SNAPSHOT === 0) await write(session, state.parameters)
    if (step % 50 === 0)
      say(`step ${step}  loss ${loss.toFixed(4)}  ${((Date.now() - began) / 1000).toFixed(0)} s`)
  }
  return state.parameters
}

async function main(): Promise<void> {
  await writeInitial(values.out)
  const loaded = await loadModel(values.out)
  const examples = await tokenise(loaded)
  const session = await openSession(loaded)
  say(
    `Pebble: ${loaded.parameters} parameters, ${examples.length} rows, ${config.steps} steps of ${config.batchSize} rows, seed ${seed}`,
  )
  await write(session, await trained(session, examples, loaded.open.tokenizer.padId))
  await writeProvenance(loaded, examples)
  await session.release()
  await loaded.open.close()
}

await main()
