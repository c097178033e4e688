/**
 * @file Guidance distilled into one call (Golnari 2023; Meng et al., CVPR 2023): a teacher asks the base twice, with the label and
 * without, and tells ε̂_w; a fine-tune of the same base learns to tell it in one call. What is gained is how often its samples are
 * read as the class that was asked for; what may be forgotten is noise without a label.
 */
import { usageError } from '../../../errors/touchstone-error.ts'
import { noiseGiven, noiseOf, type Mixture } from '../../../models/diffusion/mixture.ts'
import { guided, levelOf } from '../../../models/diffusion/schedule.ts'
import { DENOISER } from '../../../models/families/denoiser.ts'
import { NUMBER_TOKENIZER } from '../../../models/text/number-tokenizer.ts'
import { energyFrom } from '../../../statistics/energy-distance.ts'
import { randomStream } from '../../../statistics/random.ts'
import { meanOf } from '../../../statistics/summary.ts'
import { split } from '../task-file.ts'
import type { Ask } from '../../../measure/ask.ts'
import type { MeasuredPart, NewModel, Task, TaskMeasure, TaskRow } from '../task.ts'
import {
  cleanedOf,
  denoisingRows,
  FEW_STEPS,
  guidedNoises,
  labelOf,
  LEVELS,
  noised,
  noneOf,
  rowText,
  samplesOf,
  startOfDenoiser,
  STEPS,
  wishesFor,
  type Drawing,
  type Noisy,
  type Wish,
} from './denoising.ts'
import type { WORLDS } from './facts.ts'
import { sampleGrid } from './pictures.ts'
import { digitsIn, WORLD_OF, type Thing, type World } from './worlds.ts'

/** At most so many rows of each are made; more steps read them again under the same noise. */
const ROWS = { base: 8000, arm: 4000 }
const SAMPLES = 200
/** Level at which held-out things are cleaned in one call, 0.65 of the thing and 0.76 of the noise. */
const CLEANED_AT = 110

interface Setting {
  readonly world: World
  readonly weight: number
  readonly seed: number
  /** Drawn for each number beside the rates. */
  readonly samples: number
}

export const guidedDiffusion: Task = {
  async prepare({ base, seed, file, reads }) {
    const [name, weight] = base.split('/') as [(typeof WORLDS)[number], string]
    const bundled = WORLD_OF[name](seed)
    const world = file === null ? bundled : await withOwn(bundled, file, seed)
    const samples = Math.min(SAMPLES, reads.each)
    const setting = { world, weight: Number(weight), seed, samples }
    return {
      model: newModel(world),
      baseRows: denoisingRows(bundled, Math.min(ROWS.base, reads.base), seed),
      armRows: [],
      fromBase: async (ask) => ({
        armRows: await taughtRows(ask, Math.min(ROWS.arm, reads.arm), setting),
        measures: [...samplesMeasured(setting), ...(await gapMeasures(ask, setting))],
      }),
      measured: partsOf(setting),
      data: world.data,
    }
  },
}

/** The user's images are learnt and held out; samples are read as before. */
async function withOwn(world: World, file: string, seed: number): Promise<World> {
  if (world.mixture)
    throw usageError('A mixture takes no file: its points are drawn.', 'Name a --base of digits.')
  const things = new Map((await digitsIn(file)).map((thing) => [thing.unit, thing]))
  const rows = [...things.keys()].map((cluster) => ({ text: '', label: '', category: '', cluster }))
  const { learnt, heldOut } = split(file, rows, seed)
  const of = (some: readonly TaskRow[]) => some.map(({ cluster }) => things.get(cluster)!)
  const source = `${file}, learnt and held out; base and reading: ${world.data.source}`
  return { ...world, learnt: of(learnt), heldOut: of(heldOut), data: { ...world.data, source } }
}

function newModel({ shape, classes }: World): NewModel {
  return {
    config: {
      model_type: DENOISER,
      architectures: ['Denoiser'],
      ...shape,
      prompt_vocabulary: classes.length + 1,
      hidden_size: 64,
      num_hidden_layers: 4,
      num_attention_heads: 4,
      id2label: Object.fromEntries(classes.entries()),
      num_labels: classes.length,
    },
    tokenizer: NUMBER_TOKENIZER,
    draw: startOfDenoiser,
  }
}

/** Things under noise with the teacher's ε̂_w. */
async function taughtRows(
  ask: Ask,
  count: number,
  { world, weight, seed }: Setting,
): Promise<TaskRow[]> {
  const stream = randomStream(seed, 'diffusion:taught')
  const things = Array.from(
    { length: count },
    () => world.learnt[stream.integer(world.learnt.length)]!,
  )
  const rows = underNoise(things, stream)
  const told = await guidedNoises(ask, rows, { none: noneOf(world), weight })
  return rows.map(({ x, t, label, unit }, row) => ({
    text: rowText(x, t, [label]),
    label: labelOf(told[row]!),
    category: world.classes[label]!,
    cluster: unit,
  }))
}

const underNoise = (things: readonly Thing[], stream: ReturnType<typeof randomStream>) =>
  things.map((thing) => ({ ...thing, ...noised(thing.x, stream.integer(LEVELS), stream) }))

function partsOf(setting: Setting): MeasuredPart[] {
  const title = `Samples of one call a step read as asked, ${STEPS} steps`
  return [
    { part: 'gain', title, ...drawnRows(setting, STEPS) },
    cleanedPart(setting),
    { part: 'shift', title: `The same in ${FEW_STEPS} steps`, ...drawnRows(setting, FEW_STEPS) },
  ]
}

function drawnRows({ world, seed }: Setting, steps: number): Pick<MeasuredPart, 'rows' | 'read'> {
  const wishes = wishesFor(world, SAMPLES)
  return {
    rows: wishes.map(({ label, number }) => {
      const name = world.classes[label]!
      return { text: `sample ${number}`, label: name, category: name, cluster: `sample ${number}` }
    }),
    async read(ask, texts) {
      const asked = texts.map((text) => wishes[numberIn(text)]!)
      return (await samplesOf(ask, asked, { world, seed, steps })).map(world.read)
    },
  }
}

const numberIn = (text: string) => Number(text.split(' ')[1])

function cleanedPart({ world, seed }: Setting): MeasuredPart {
  const noisy = noisyHeldOut(world, seed)
  return {
    part: 'retention',
    title: 'Held-out rows read right once noise is taken away without a label',
    rows: world.heldOut.map(({ label, unit }, i) => {
      const name = world.classes[label]!
      return { text: `held-out ${i}`, label: name, category: name, cluster: unit }
    }),
    async read(ask, texts) {
      const asked = texts.map((text) => noisy[numberIn(text)]!)
      return (await cleanedOf(ask, asked, world)).map(world.read)
    },
  }
}

function noisyHeldOut({ heldOut }: World, seed: number): Noisy[] {
  const stream = randomStream(seed, 'diffusion:held-out')
  return heldOut.map(({ x }) => noised(x, CLEANED_AT, stream))
}

function samplesMeasured({ world, weight, seed, samples }: Setting): TaskMeasure[] {
  const wishes = wishesFor(world, samples)
  const own = { world, seed, steps: STEPS }
  const teacher = `samples of the teacher, two calls a step, w = ${weight}`
  return [
    drawnMeasure('one-call', 'samples of one call a step', wishes, own),
    { ...drawnMeasure('guided', teacher, wishes, { ...own, weight }), ofBaseAlone: true },
  ]
}

/** What samples are worth and what they cost. */
function drawnMeasure(
  name: string,
  title: string,
  wishes: readonly Wish[],
  drawing: Drawing,
): TaskMeasure {
  const { world } = drawing
  const energy = energyFrom(world.reference)
  const draw = (ask: Ask) => samplesOf(ask, wishes, drawing)
  return {
    name,
    async rows(ask) {
      const calls = await callsOf(ask, wishes[0]!, drawing)
      const drawn = await draw(ask)
      return energy.rows(drawn).map((distances, i) => ({
        unit: `sample ${i}`,
        numbers: [...distances, isRead(world, drawn[i]!, wishes[i]!), calls],
      }))
    },
    numbers: [
      {
        ...{ name: `${name}-energy-distance`, title: `Energy distance to real rows, ${title}` },
        ...{ unit: '', better: 'lower', of: energy.energyOf },
      },
      {
        ...{ name: `${name}-accuracy`, title: `Share read as asked, ${title}` },
        ...{ unit: '', better: 'higher', of: meanOfColumn(-2) },
      },
      {
        ...{
          name: `${name}-calls`,
          title: `Rows that the network is given for one of the ${title}`,
        },
        ...{ unit: 'rows', better: 'lower', of: meanOfColumn(-1) },
      },
    ],
    pictures: async (ask) => sampleGrid(world, wishes, await draw(ask), `Drawn: ${title}`),
  }
}

const meanOfColumn = (column: number) => (rows: readonly (readonly number[])[]) =>
  rows.length === 0 ? null : meanOf(rows.map((numbers) => numbers.at(column)!))

/** 1 where a sample is read as asked. */
function isRead(world: World, x: Float64Array, { label }: Wish): number {
  const scores = world.read(x)
  return Number(scores.indexOf(Math.max(...scores)) === label)
}

/** Counted while one sample is drawn. */
async function callsOf(ask: Ask, wish: Wish, drawing: Drawing): Promise<number> {
  let rows = 0
  const counting: Ask = (graph, texts) => {
    rows += texts.length
    return ask(graph, texts)
  }
  await samplesOf(counting, [wish], drawing)
  return rows
}

/** E‖ε̂ − ε̂_w‖²/size: against the base with guidance, and against the closed form where there is one. */
async function gapMeasures(teacher: Ask, { world, weight, seed, samples }: Setting) {
  const heldOut = world.heldOut.slice(0, samples)
  const rows = underNoise(heldOut, randomStream(seed, 'diffusion:gap'))
  const { mixture } = world
  const gap = (
    name: string,
    title: string,
    targets: readonly ArrayLike<number>[],
  ): TaskMeasure => ({
    name,
    numbers: [{ name, title, unit: '', better: 'lower', of: meanOfColumn(0) }],
    async rows(ask) {
      const texts = rows.map(({ x, t, label }) => rowText(x, t, [label]))
      const told = await ask('classes', texts)
      return rows.map(({ unit }, i) => ({ unit, numbers: [meanSquare(told[i]!, targets[i]!)] }))
    },
  })
  const told = await guidedNoises(teacher, rows, { none: noneOf(world), weight })
  const closed = mixture && rows.map((row) => closedForm(mixture, row, weight))
  return [
    gap('guidance-gap', 'Mean squared gap of one call to the teacher’s noise', told),
    ...(closed ? [gap('closed-form-gap', 'The same to the closed form', closed)] : []),
  ]
}

const closedForm = (mixture: Mixture, { x, t, label }: Thing & Noisy, weight: number) => {
  const level = levelOf(t, LEVELS)
  return guided(noiseGiven(mixture, x, level, label), noiseOf(mixture, x, level), weight)
}

function meanSquare(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2
  return sum / a.length
}
