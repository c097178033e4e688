/** @file A base that names classes: what it learns from, the head that is made for it, and where its classes are written. */
import { join } from 'node:path'
import { z } from 'zod'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import type { Aimed, Classed } from '../finetune/training/dataset.ts'
import type { OpenModel } from '../models/checkpoint.ts'
import { classesIn, classIndex } from '../models/encoder-heads.ts'
import { exists, readJson } from '../files/read-file.ts'
import { sourcesOf } from '../models/model-sources.ts'
import { readPeftIndex } from '../models/formats/peft-folder.ts'
import { classesOf, isEncoder, recognise, type Model } from '../models/registry.ts'
import { overlaid } from '../models/weights/small-weights.ts'
import { asComputed } from '../models/weight-list.ts'
import { encodeWhole } from '../models/text/whole-text.ts'
import type { Base } from './base.ts'
import { requireSameShapes } from './candidate.ts'
import type { TrainingData } from './sources.ts'

/** The labels of the rows, each once: numbers in their order, other names by the alphabet's. */
function labelsIn({ title, conversations }: Pick<TrainingData, 'title' | 'conversations'>) {
  const labels = [...new Set(conversations.map((_, i) => rowOf(title, conversations, i).label))]
  if (labels.length < 2) {
    const found = `one label, "${labels[0] ?? 'none'}"`
    throw new TouchstoneError('data.classes', { path: title, found, expected: 'two or more' })
  }
  const areNumbers = labels.every((label) => /^\d+$/u.test(label))
  return areNumbers ? labels.sort((a, b) => Number(a) - Number(b)) : labels.sort()
}

/** A row is one text and its label: a turn of the user, and a reply. */
function rowOf(path: string, rows: TrainingData['conversations'], i: number) {
  const [text, reply, ...more] = rows[i]!
  if (text?.role === 'user' && reply?.role === 'assistant' && more.length === 0)
    return { text: text.content, label: reply.content.trim() }
  const found = `in row ${i + 1} the turns ${rows[i]!.map(({ role }) => role).join(', ')}`
  throw new TouchstoneError('data.classes', { path, found, expected: 'a text and its label' })
}

/** An encoder as one that tells these classes apart, by its configuration alone. */
function headed<O extends Pick<OpenModel, 'checkpoint'>>(
  { open: bare, model }: { readonly open: O; readonly model: Model },
  classes: readonly string[],
) {
  const { checkpoint } = bare
  const { architecture } = model
  if (!architecture.classifier) throw new Error('internal: classes asked of a model that writes')
  const config = {
    ...checkpoint.config,
    architectures: [architecture.classifier.className],
    id2label: Object.fromEntries(classes.map((name, i) => [String(i), name])),
    label2id: Object.fromEntries(classes.map((name, i) => [name, i])),
    num_labels: classes.length,
    problem_type: 'single_label_classification',
  }
  const open = { ...bare, checkpoint: { ...checkpoint, config } }
  return { open, model: recognise(open.checkpoint, 'make-head') }
}

/** The same base with a head for these classes: the checkpoint's, or one that its training makes. */
async function withClasses(base: Base, classes: readonly string[]): Promise<Base> {
  if (classesOf(base.model)) return base
  const { open, model } = headed(base, classes)
  const { checkpoint } = open
  const more = new Map<string, Float32Array>()
  // Of BERT's head the first layer lies in the checkpoint already.
  for (const spec of model.weights.values())
    if (!spec.made && !base.weights.has(spec.name))
      more.set(spec.name, asComputed(checkpoint.read(spec.stored ?? spec.name), spec))
  return { ...base, open, model, weights: overlaid(base.weights, more) }
}

/** Whether training on data makes a head: it names the classes, where an encoder's checkpoint names none. */
const lacksHead = ({ model }: { model: Model }) => isEncoder(model) && !classesOf(model)

export const withClassesOf = async (base: Base, data: TrainingData | undefined): Promise<Base> =>
  data && lacksHead(base) ? withClasses(base, labelsIn(data)) : base

/** The same without weights, for a plan. */
export const plannedClasses = <O extends Pick<OpenModel, 'checkpoint'>>(
  opened: { readonly open: O; readonly model: Model },
  data: TrainingData | undefined,
) => (data && lacksHead(opened) ? headed(opened, labelsIn(data)) : opened)

interface ClassedExamples {
  readonly examples: readonly (Classed | Aimed)[]
  /** Rows that lost their end. */
  readonly cut: number
}

/** Each text with what the tokenizer puts around it, cut at its end to `maxTokens` in all. */
export function classedExamples(
  { model, open }: { readonly model: Model; readonly open: Pick<OpenModel, 'tokenizer'> },
  { title, conversations }: Pick<TrainingData, 'title' | 'conversations'>,
  maxTokens: number,
): ClassedExamples {
  const longest = Math.min(maxTokens, model.architecture.maxPositions(model.config))
  const learnt = learntOf(model, title)
  let cut = 0
  const examples = conversations.map((_, i) => {
    const { text, label } = rowOf(title, conversations, i)
    const own = learnt(label, i + 1)
    const whole = encodeWhole(open.tokenizer, text, longest)
    if (whole.lost.length > 0) cut++
    return { ids: whole.ids, ...own }
  })
  return { examples, cut }
}

/** A row's label as the index of its class, or as the numbers of its target. */
function learntOf(
  model: Model,
  path: string,
): (label: string, row: number) => Pick<Classed, 'label'> | Pick<Aimed, 'target'> {
  const width = model.architecture.objective?.targets?.(model.config)
  if (width !== undefined)
    return (label, row) => {
      const target = label.split(/\s+/u).map(Number)
      if (target.length === width && target.every(Number.isFinite)) return { target }
      throw new TouchstoneError('data.target', { path, row, found: label.slice(0, 100), width })
    }
  const known = classesOf(model)!
  return (label, row) => {
    const index = classIndex(known, label)
    if (index !== -1) return { label: index }
    throw new TouchstoneError('data.class', { path, row, label, known })
  }
}

/** Beside an adapter, which has no place for it: what its head's classes are called. */
export const CLASSES_FILE = 'classes.json'
const ClassesFile = z.object({ id2label: z.record(z.string(), z.string()) })

export const classesText = (classes: readonly string[]): string =>
  `${JSON.stringify({ id2label: Object.fromEntries(classes.entries()) }, null, 2)}\n`

/** As the file beside the adapter says, or numbers; undefined where the adapter brings no head. */
async function classesOfAdapter(
  { model: { architecture, config } }: Base,
  folder: string,
): Promise<readonly string[] | undefined> {
  const { saved } = await readPeftIndex(folder)
  const rows = saved.get(architecture.classifier!.output(config))?.shape[0]
  if (rows === undefined) return undefined
  const path = join(folder, CLASSES_FILE)
  if (!(await exists(path))) return classesIn({ num_labels: rows })
  const parsed = ClassesFile.safeParse(await readJson(path))
  const names = parsed.success ? classesIn(parsed.data) : []
  if (names.length === rows) return names
  throw new TouchstoneError('checkpoint.malformed', {
    path,
    found: `${names.length} classes`,
    expected: `${rows}, as the adapter’s head has`,
  })
}

/** The base as a fine-tune of it names classes: with its own head, an adapter's, or that of a whole model. One that writes is as it is. */
export async function asClassifier(base: Base, path: string): Promise<Base> {
  if (!isEncoder(base.model)) return base
  if (!(await exists(join(path, 'adapter_config.json')))) return asWholeModel(base, path)
  const classes = await classesOfAdapter(base, path)
  return classes ? withClasses(base, classes) : base
}

async function asWholeModel(base: Base, path: string): Promise<Base> {
  const checkpoint = await (await sourcesOf(path)).checkpoint()
  try {
    const { config } = checkpoint
    const open = { ...base.open, checkpoint: { ...base.open.checkpoint, config } }
    const model = recognise(checkpoint)
    requireSameShapes(base, model.weights, path)
    return { ...base, open, model }
  } finally {
    await checkpoint.close()
  }
}
