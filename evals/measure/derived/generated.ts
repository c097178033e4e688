/**
 * @file An adapter for a task, generated from adapters of other tasks (ICM-LoRA), with two controls: the mean of the adapters and the
 * one that is nearest to what was generated. See docs/methods/icm-lora.md.
 */
import { basename } from 'node:path'
import type { Message } from '../../contract/rows.ts'
import { GENERATED, type GeneratedAdapter } from '../../contract/subjects/generated.ts'
import { TouchstoneError, usageError } from '../../errors/touchstone-error.ts'
import { sha256 } from '../../files/digest.ts'
import {
  changeError,
  flatFormOf,
  flattened,
  unflattened,
  type FoundAdapter,
} from '../../finetune/generating/flat.ts'
import {
  trainedGenerator,
  type GeneratorSample,
} from '../../finetune/generating/train-generator.ts'
import { openTaskVectors } from '../../inference/probes/task-vector.ts'
import { renderPrompt } from '../../inference/prompt.ts'
import { peftDigest, readPeftFolder, type PeftFolder } from '../../models/formats/peft-folder.ts'
import { isEncoder, type Model } from '../../models/registry.ts'
import { adaptedWeights, requireFitting } from '../../models/weights/tuned-weights.ts'
import { median } from '../../statistics/median.ts'
import { LONGEST, stateWith, type Base } from '../base.ts'
import { trainingData, type TrainingData } from '../sources.ts'
import type { Derived } from './made.ts'
import {
  tasksIn,
  USUAL_GENERATOR,
  type GenerationSettings,
  type SourceTask,
} from './generated-tasks.ts'
import { generatedIn } from './specs.ts'

interface Generation {
  readonly tasks: readonly SourceTask[]
  /** Data whose prompts stand for the task that an adapter is wanted for. */
  readonly wanted: string
  readonly settings: GenerationSettings
  readonly signal: AbortSignal
}

/** The three adapters, in the order of their names, and what is said of them. */
export async function generatedFrom(base: Base, asked: Generation) {
  const { tasks, settings, signal, wanted: task } = asked
  const found = await sourceAdapters(tasks)
  const adapters = found.flat()
  const form = flatFormOf(adapters)
  const vectors = await vectorsOf(base, asked)
  const samples = found.flatMap((each, i): GeneratorSample[] =>
    each.map(({ folder }) => ({ flat: flattened(form, folder), task: vectors[i]! })),
  )
  const { device } = base
  const generator = await trainedGenerator(samples, vectors.at(-1)!, settings, { device, signal })
  const { generated, losses, reconstructions } = generator
  const flats = samples.map(({ flat }) => flat)
  const near = nearest(generated, flats, form.used)
  const { config } = adapters[0]!.folder
  const errors = adapters.map(({ folder }, i) =>
    changeError(folder, unflattened(form, reconstructions[i]!)),
  )
  const three = [generated, meanOf(flats), flats[near.index]!]
  return {
    folders: three.map((flat): PeftFolder => ({ config, tensors: unflattened(form, flat) })),
    said: {
      tasks: await Promise.all(tasks.map(statedTask)),
      wanted: task,
      settings,
      numbers: form.used,
      loss: [losses[0]!, losses.at(-1)!] as [number, number],
      reconstruction: { median: median(errors), worst: Math.max(...errors) },
      nearest: { adapter: adapters[near.index]!.path, distance: near.distance },
      spacing: median(flats.map((flat, i) => nearest(flat, flats, form.used, i).distance)),
    },
  }
}

type Generated = Awaited<ReturnType<typeof generatedFrom>>

/** One generator makes three candidates of a base. */
const made = new WeakMap<Base['weights'], Map<string, Promise<Generated>>>()

function generatedOnce(base: Base, tasks: string, wanted: string): Promise<Generated> {
  const known = made.get(base.weights) ?? new Map<string, Promise<Generated>>()
  made.set(base.weights, known)
  const key = `${tasks}@${wanted}`
  const make = async () => {
    const { settings = USUAL_GENERATOR, ...found } = await tasksIn(tasks)
    const { signal } = new AbortController()
    return generatedFrom(base, { ...found, wanted, settings, signal })
  }
  const found = known.get(key) ?? make()
  known.set(key, found)
  return found
}

function asked(spec: string) {
  const { kind, tasks = '', wanted = '' } = generatedIn(spec) ?? {}
  const at = GENERATED.findIndex((name) => name === kind)
  if (at < 0) {
    throw usageError(
      `generate:${spec} is no generated adapter.`,
      `Write generate:KIND:TASKS@DATA with a kind of ${GENERATED.join(', ')}, a file of tasks and data.`,
    )
  }
  return { at, tasks, wanted }
}

/** The file of tasks, their adapters on this base, and all data that is asked for. */
export async function checkGenerated(model: Model, spec: string): Promise<void> {
  const { tasks: file, wanted } = asked(spec)
  const { tasks } = await tasksIn(file)
  const adapters = await sourceAdapters(tasks)
  for (const { path, folder } of adapters.flat()) requireFitting(model, folder, path)
  flatFormOf(adapters.flat())
  for (const data of [...tasks.map(({ prompts }) => prompts), wanted]) await trainingData(data)
}

export async function generatedAdapter(base: Base, spec: string): Promise<Derived> {
  const { at, tasks, wanted } = asked(spec)
  const { folders, said } = await generatedOnce(base, tasks, wanted)
  const folder = folders[at]!
  const numbers = [...folder.tensors.values()].map(({ data }) => data)
  return {
    weights: adaptedWeights(base.weights, folder, `generate:${spec}`),
    digest: sha256(
      [...folder.tensors].map(([name, { data }]) => `${name} ${digestOf(data)}`).join(),
    ),
    title: `${TITLES[GENERATED[at]!]} for ${basename(wanted)}`,
    trainableParameters: numbers.reduce((sum, { length }) => sum + length, 0),
    generated: { line: `${tasks}@${wanted}`, kind: GENERATED[at]!, ...shortly(said) },
  }
}

const TITLES: Readonly<Record<GeneratedAdapter['kind'], string>> = {
  generated: 'Generated',
  mean: 'Mean of the adapters, beside what was generated',
  nearest: 'The adapter nearest to what was generated',
}

const digestOf = ({ buffer, byteOffset, byteLength }: Float32Array) =>
  sha256(new Uint8Array(buffer, byteOffset, byteLength))

/** With the names of folders in place of their paths. */
function shortly(said: Generated['said']): Omit<GeneratedAdapter, 'line' | 'kind'> {
  const { wanted, tasks, loss, reconstruction, nearest: near, spacing } = said
  return {
    wanted: basename(wanted),
    tasks: tasks.map(({ name, adapters }) => ({
      name,
      adapters: adapters.map((adapter) => adapter.name),
    })),
    ...{ loss, reconstruction, spacing },
    nearest: { ...near, adapter: basename(near.adapter) },
  }
}

/** By task; throws `generate.too-few` where there is one in all. */
async function sourceAdapters(tasks: readonly SourceTask[]): Promise<FoundAdapter[][]> {
  const found = await Promise.all(
    tasks.map(({ adapters }) =>
      Promise.all(adapters.map(async (path) => ({ path, folder: await readPeftFolder(path) }))),
    ),
  )
  const count = found.flat().length
  if (count < 2) throw new TouchstoneError('generate.too-few', { found: count })
  return found
}

const statedTask = async ({ name, prompts, adapters }: SourceTask) => ({
  name,
  prompts,
  adapters: await Promise.all(
    adapters.map(async (path) => ({ name: basename(path), digest: await peftDigest(path) })),
  ),
})

/** Of every task in order, then of the wanted one. */
async function vectorsOf(
  base: Base,
  { tasks, wanted, settings: { prompts } }: Generation,
): Promise<Float32Array[]> {
  requireStates(base)
  const state = stateWith(base, (name) => base.weights.get(name)!)
  const session = await openTaskVectors(state, base.device, LONGEST)
  try {
    const found: Float32Array[] = []
    for (const data of [...tasks.map((task) => task.prompts), wanted]) {
      const { conversations } = await trainingData(data)
      const few = conversations.slice(0, prompts)
      found.push(await session.of(await Promise.all(few.map((row) => promptIds(base, row)))))
    }
    return found
  } finally {
    await session.release()
  }
}

function requireStates({ model, path }: Base): void {
  if (!model.graph && !isEncoder(model)) return
  throw usageError(
    `${path} is ${model.graph ? 'an exported graph' : 'an encoder'}, whose last hidden states cannot be read.`,
    'Name the Hugging Face folder or GGUF file of a language model with --model.',
  )
}

type Row = TrainingData['conversations'][number]

/** What comes before the last reply, or a raw text. */
async function promptIds({ open }: Base, row: Row): Promise<readonly number[]> {
  const [first] = row
  if (first?.role === 'text') return open.tokenizer.encode(first.content)
  const messages = row.slice(0, -1) as readonly Message[]
  return open.tokenizer.encode((await renderPrompt(open, messages)).text)
}

const meanOf = (flats: readonly Float32Array[]): Float32Array =>
  flats[0]!.map((_, i) => flats.reduce((sum, flat) => sum + flat[i]!, 0) / flats.length)

function nearest(flat: Float32Array, flats: readonly Float32Array[], used: number, but = -1) {
  let [index, least] = [-1, Infinity]
  flats.forEach((other, i) => {
    if (i === but) return
    let sum = 0
    for (let j = 0; j < used; j++) sum += (flat[j]! - other[j]!) ** 2
    if (sum < least) [index, least] = [i, sum]
  })
  return { index, distance: Math.sqrt(least / used) }
}
