/**
 * @file An adapter for a task, generated from adapters of other tasks (ICM-LoRA), written beside two controls: the mean of the adapters
 * and the one that is nearest to what was generated. See docs/methods/icm-lora.md.
 */
import { basename, join } from 'node:path'
import type { Message } from '../contract/rows.ts'
import { usageError } from '../errors/touchstone-error.ts'
import {
  changeError,
  flatFormOf,
  flattened,
  unflattened,
  type FoundAdapter,
} from '../finetune/generating/flat.ts'
import {
  trainedGenerator,
  type GeneratorSample,
  type GeneratorSettings,
} from '../finetune/generating/train-generator.ts'
import { renderPrompt } from '../inference/prompt.ts'
import { openTaskVectors } from '../inference/probes/task-vector.ts'
import { LONGEST, openBase, stateWith, type Base } from '../measure/base.ts'
import { trainingData, type TrainingData } from '../measure/sources.ts'
import { isEncoder } from '../models/registry.ts'
import { peftDigest, readPeftFolder, writePeftFolder } from '../models/formats/peft-folder.ts'
import { chooseDevice } from '../runtime/device.ts'
import { median } from '../statistics/median.ts'
import { markException } from './weights-exception.ts'

interface SourceTask {
  readonly name: string
  /** Data whose prompts stand for the task. */
  readonly prompts: string
  readonly adapters: readonly string[]
}

interface Generation {
  readonly model: string
  readonly tasks: readonly SourceTask[]
  /** Data whose prompts stand for the task that an adapter is wanted for. */
  readonly wanted: string
  /** Prompts of each task that are read. */
  readonly prompts: number
  readonly settings: GeneratorSettings
  readonly threads: number | undefined
  readonly output: string
  /** Why a source should have been deleted; what is made of it carries the note. */
  readonly exception: string | null
  readonly signal: AbortSignal
}

/** Folders that are written into `output`. */
export const GENERATED = ['generated', 'mean', 'nearest'] as const

export async function generateAdapter(asked: Generation) {
  const { tasks, settings, output, signal } = asked
  const device = chooseDevice('cpu', asked.threads)
  const found = await Promise.all(tasks.map((task) => adaptersOf(task)))
  const adapters = found.flat()
  const form = flatFormOf(adapters)
  const vectors = await vectorsOf(asked, device)
  const wanted = vectors.at(-1)!
  const samples = found.flatMap((own, i): GeneratorSample[] =>
    own.map(({ folder }) => ({ flat: flattened(form, folder), task: vectors[i]! })),
  )
  const generator = await trainedGenerator(samples, wanted, settings, { device, signal })
  const { generated, losses, reconstructions } = generator
  const flats = samples.map(({ flat }) => flat)
  const near = nearest(generated, flats, form.used)
  const made = [generated, meanOf(flats), flats[near.index]!]
  const { config } = adapters[0]!.folder
  for (const [i, name] of GENERATED.entries()) {
    const folder = join(output, name)
    await markException(folder, asked.exception)
    await writePeftFolder(folder, { config, tensors: unflattened(form, made[i]!) })
  }
  const errors = adapters.map(({ folder }, i) =>
    changeError(folder, unflattened(form, reconstructions[i]!)),
  )
  return {
    tasks: await Promise.all(tasks.map(statedTask)),
    wanted: asked.wanted,
    settings,
    numbers: form.used,
    /** Loss at the first and the last step. */
    loss: [losses[0]!, losses.at(-1)!] as const,
    /** ‖ΔW′ − ΔW‖/‖ΔW‖ of the sources through the generator. */
    reconstruction: { median: median(errors), worst: Math.max(...errors) },
    /** Root mean square distance of normalised numbers to the nearest source. */
    nearest: { adapter: adapters[near.index]!.path, distance: near.distance },
    /** The median of the sources' own distances to their nearest other source. */
    spacing: median(flats.map((flat, i) => nearest(flat, flats, form.used, i).distance)),
  }
}

const adaptersOf = ({ adapters }: SourceTask): Promise<FoundAdapter[]> =>
  Promise.all(adapters.map(async (path) => ({ path, folder: await readPeftFolder(path) })))

const statedTask = async ({ name, prompts, adapters }: SourceTask) => ({
  name,
  prompts,
  adapters: await Promise.all(
    adapters.map(async (path) => ({ name: basename(path), digest: await peftDigest(path) })),
  ),
})

/** Of every task in order, then of the wanted one. */
async function vectorsOf(
  { model, tasks, wanted, prompts }: Generation,
  device: Base['device'],
): Promise<Float32Array[]> {
  const base = await openBase(model, device, 1)
  requireStates(base)
  const state = stateWith(base, (name) => base.weights.get(name)!)
  const session = await openTaskVectors(state, device, LONGEST)
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
    await base.open.close()
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
