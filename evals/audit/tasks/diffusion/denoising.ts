/** @file Rows that a denoiser learns from, and its answers as noise, samples and classes. */
import { sizeOf } from '../../../models/families/denoiser.ts'
import { cleaned, ddim, guided, levelOf } from '../../../models/diffusion/schedule.ts'
import { randomStream, type RandomStream } from '../../../statistics/random.ts'
import type { Ask } from '../../../measure/ask.ts'
import type { NewModel, TaskRow } from '../task.ts'
import type { World } from './worlds.ts'

/** Levels of noise, steps of a sampler, and those of the shift: a fifth of the calls. */
export const LEVELS = 200
export const STEPS = 50
export const FEW_STEPS = 10

/** Norms 1, biases 0, words N(0, ¼), matrices N(0, 1/in); what adds to the path of x begins at a third of that. */
export const startOfDenoiser: NewModel['draw'] = (
  { name, kind, shape: [first = 0, second = 1] },
  stream,
) => {
  const adds = /(?:_o|down|output)\.weight$/u.test(name)
  const scale = kind === 'embedding' ? 0.5 : (adds ? 0.3 : 1) / Math.sqrt(second)
  const value = { norm: () => 1, bias: () => 0 }[kind as 'norm' | 'bias']
  return Float32Array.from({ length: first * second }, value ?? (() => scale * stream.normal()))
}

/** Digits behind the point of a number in a row. */
const DIGITS = 5

/** A row of numbers: x_t, t, and the prompt. */
export const rowText = (x: ArrayLike<number>, t: number, prompt: readonly number[]): string =>
  `${Array.from(x, (value) => value.toFixed(DIGITS)).join(' ')} ${t} ${prompt.join(' ')}`

const normals = (stream: RandomStream, length: number): Float64Array =>
  Float64Array.from({ length }, () => stream.normal())

export interface Noisy {
  readonly x: Float64Array
  readonly noise: Float64Array
  readonly t: number
}

/** x_t = α·x_0 + σ·ε. */
export function noised(clean: ArrayLike<number>, t: number, stream: RandomStream): Noisy {
  const { alpha, sigma } = levelOf(t, LEVELS)
  const noise = normals(stream, clean.length)
  return { x: noise.map((value, i) => alpha * clean[i]! + sigma * value), noise, t }
}

/** A prompt's word for "no class": the one after the classes. */
export const noneOf = ({ classes }: Pick<World, 'classes'>): number => classes.length

export const labelOf = (noise: ArrayLike<number>): string =>
  Array.from(noise, (value) => value.toFixed(DIGITS)).join(' ')

/** Share of the base's rows without a label, as guidance needs (Ho and Salimans 2021). */
const UNLABELLED = 0.15

/** Things under noise, each with the noise to tell. */
export function denoisingRows(world: World, count: number, seed: number): TaskRow[] {
  const stream = randomStream(seed, 'diffusion:base')
  return Array.from({ length: count }, () => {
    const thing = world.learnt[stream.integer(world.learnt.length)]!
    const { x, noise, t } = noised(thing.x, stream.integer(LEVELS), stream)
    const word = stream.uniform() < UNLABELLED ? noneOf(world) : thing.label
    const category = world.classes[thing.label]!
    return { text: rowText(x, t, [word]), label: labelOf(noise), category, cluster: thing.unit }
  })
}

/** ε̂ of each x under each word. */
const noises = (
  ask: Ask,
  xs: readonly ArrayLike<number>[],
  t: (row: number) => number,
  word: (row: number) => number,
): Promise<Float32Array[]> =>
  ask(
    'classes',
    xs.map((x, row) => rowText(x, t(row), [word(row)])),
  )

/** ε̂_w of two calls. */
export async function guidedNoises(
  ask: Ask,
  rows: readonly { readonly x: ArrayLike<number>; readonly t: number; readonly label: number }[],
  { none, weight }: { readonly none: number; readonly weight: number },
): Promise<Float64Array[]> {
  const xs = rows.map(({ x }) => x)
  const at = (row: number) => rows[row]!.t
  const told = await noises(ask, xs, at, (row) => rows[row]!.label)
  const free = await noises(ask, xs, at, () => none)
  return told.map((own, row) => guided(own, free[row]!, weight))
}

/** A sample to draw: its class, and its number, from which its first noise follows. */
export interface Wish {
  readonly label: number
  readonly number: number
}

export interface Drawing {
  readonly world: World
  readonly seed: number
  readonly steps: number
  /** Two calls a step, with this weight; one call if absent. */
  readonly weight?: number
}

/** Of each state that was asked: its samples by how and what was drawn. */
const drawn = new WeakMap<Ask, Map<string, Float64Array>>()

/** One sample a wish; the same wish begins at the same noise in every state. Drawn once a state. */
export async function samplesOf(
  ask: Ask,
  wishes: readonly Wish[],
  drawing: Drawing,
): Promise<Float64Array[]> {
  const known = drawn.get(ask) ?? new Map<string, Float64Array>()
  drawn.set(ask, known)
  const keyOf = ({ number }: Wish) => [drawing.steps, drawing.weight, number].join()
  const missing = wishes.filter((wish) => !known.has(keyOf(wish)))
  const made = await drawSamples(ask, missing, drawing)
  missing.forEach((wish, i) => known.set(keyOf(wish), made[i]!))
  return wishes.map((wish) => known.get(keyOf(wish))!)
}

function drawSamples(
  ask: Ask,
  wishes: readonly Wish[],
  { world, seed, steps, weight }: Drawing,
): Promise<Float64Array[]> {
  if (wishes.length === 0) return Promise.resolve([])
  const { bound, shape } = world
  const size = sizeOf(shape)
  const start = wishes.map(({ number }) => normals(randomStream(seed, `sample:${number}`), size))
  const label = (row: number) => wishes[row]!.label
  const predict = (xs: readonly Float64Array[], t: number) =>
    weight === undefined
      ? noises(ask, xs, () => t, label)
      : guidedNoises(
          ask,
          xs.map((x, row) => ({ x, t, label: label(row) })),
          { none: noneOf(world), weight },
        )
  return ddim(start, predict, { levels: LEVELS, steps, bound })
}

/** x̂_0 of things under noise, in one call without a label. */
export async function cleanedOf(
  ask: Ask,
  rows: readonly Noisy[],
  world: World,
): Promise<Float64Array[]> {
  const xs = rows.map(({ x }) => x)
  const told = await noises(
    ask,
    xs,
    (row) => rows[row]!.t,
    () => noneOf(world),
  )
  return rows.map(({ x, t }, row) => cleaned(x, told[row]!, levelOf(t, LEVELS), world.bound))
}

/** Things as wishes: number and class. */
export const wishesFor = ({ classes }: World, count: number): Wish[] =>
  Array.from({ length: count }, (_, number) => ({ label: number % classes.length, number }))
