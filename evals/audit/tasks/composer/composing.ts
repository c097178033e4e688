/**
 * @file Two concepts drawn into two boxes of a canvas (LoRA-Composer, Yang et al. 2024): each box has its concept's weights and
 * prompt, boxes do not see each other, latents begin where a concept's attention is, and each early step moves the canvas down
 * the losses of `layout-loss.ts`. Beside it the same without those losses, and plain merging, which knows no boxes.
 */
import { ddimLevels, guided, levelOf, stepped } from '../../../models/diffusion/schedule.ts'
import { layoutLoss } from '../../../models/diffusion/layout-loss.ts'
import {
  isolation,
  reinitialised,
  sharesOf,
  type PatchBox,
} from '../../../models/diffusion/layout.ts'
import { PATCH } from '../../../models/diffusion/patch-network.ts'
import { randomStream } from '../../../statistics/random.ts'
import { LEVELS } from '../diffusion/denoising.ts'
import { CANVAS_SIDE, CONCEPTS, CORNERS, NOTHING } from './canvases.ts'
import type { Canvases, ComposedNetwork } from './composed-network.ts'

/** A canvas to draw: its number, from which its first noise follows, and the corners of both concepts. */
export interface Wish {
  readonly number: number
  readonly corners: readonly [number, number]
}

export interface Composing {
  readonly seed: number
  readonly steps: number
  /** Steps that follow the losses. */
  readonly guidedSteps: number
}

/** Weight of the classifier-free guidance in every way of composing. */
const WEIGHT = 3
const ACROSS = CANVAS_SIDE / PATCH

type Layout = Canvases['layouts'][number]

const layoutOf = ({ corners }: Wish): Layout => {
  const boxes = boxesOf(corners)
  return { shares: sharesOf(boxes, ACROSS), bias: isolation(boxes, ACROSS) }
}
const boxesOf = (corners: readonly number[]): PatchBox[] =>
  corners.map((corner) => CORNERS[corner]!)

/** One region, the whole canvas. */
const WHOLE: Layout = {
  shares: [new Float32Array(ACROSS ** 2).fill(1)],
  bias: new Float32Array(ACROSS ** 4),
}

/** Words of the whole canvas as the base knows them, then of each box. */
const WORDS = [CONCEPTS.map(({ digit }) => digit), ...CONCEPTS.map(({ word }) => [word, NOTHING])]
const MERGED_WORDS = [CONCEPTS.map(({ word }) => word)]
const emptied = (words: readonly (readonly number[])[]) =>
  words.map((own) => own.map(() => NOTHING))

const starts = (wishes: readonly Wish[], seed: number): Float64Array[] =>
  wishes.map(({ number }) => {
    const stream = randomStream(seed, `canvas:${number}`)
    return Float64Array.from({ length: CANVAS_SIDE ** 2 }, () => stream.normal())
  })

/** Adapters added to the base, asked for both concepts at once. */
export const mergedCanvases = (
  network: ComposedNetwork,
  wishes: readonly Wish[],
  composing: Composing,
): Promise<Float64Array[]> => {
  const layouts = wishes.map(() => WHOLE)
  return drawn(network, starts(wishes, composing.seed), { layouts, words: MERGED_WORDS }, composing)
}

/** Concepts injected into their boxes and kept apart. */
export const injectedCanvases = (
  network: ComposedNetwork,
  wishes: readonly Wish[],
  composing: Composing,
): Promise<Float64Array[]> => {
  const layouts = wishes.map(layoutOf)
  return drawn(network, starts(wishes, composing.seed), { layouts, words: WORDS }, composing)
}

/** The same, led by attention. */
export async function composedCanvases(
  network: ComposedNetwork,
  wishes: readonly Wish[],
  composing: Composing,
): Promise<Float64Array[]> {
  const layouts = wishes.map(layoutOf)
  const noise = starts(wishes, composing.seed)
  const at = (xs: readonly Float64Array[], t: number): Canvases => ({
    x: xs,
    t,
    layouts,
    prompts: wishes.map(() => WORDS),
  })
  const first = await network.maps(at(noise, LEVELS - 1))
  const begun = noise.map((x, i) =>
    reinitialised(x, boxesOf(wishes[i]!.corners), first[i]!.cross.slice(1), {
      side: ACROSS,
      patch: PATCH,
    }),
  )
  const led = wishes.map((): Led => ({ before: Infinity, isOver: false }))
  const lead = async (xs: readonly Float64Array[], t: number, step: number) => {
    if (step >= composing.guidedSteps) return xs
    const now = at(xs, t)
    const maps = await network.maps(now)
    const losses = maps.map((each, i) => layoutLoss(each, boxesOf(wishes[i]!.corners), ACROSS))
    const slopes = await network.gradient(
      now,
      losses.map(({ gradient }) => gradient),
    )
    return xs.map((x, i) =>
      moved(x, slopes[i]!, { led: led[i]!, loss: losses[i]!.value, step, composing }),
    )
  }
  return drawn(network, begun, { layouts, words: WORDS, lead }, composing)
}

/** Whether a canvas still follows its losses. */
interface Led {
  before: number
  isOver: boolean
}

/** Numbers of the latents for which the authors' step of 20 is meant: a mean over fewer patches has steeper slopes in each. */
const AUTHORS = { step: 20, latent: 64 * 64 * 4 }
/** Step of the losses, which moves each number as far as theirs, and how its square root falls over the steps that follow them. */
const STEP = { size: (AUTHORS.step * CANVAS_SIDE ** 2) / AUTHORS.latent, from: 1, to: 0.5 }
/** From this step on, a loss that rises is the last that is followed. */
const PATIENCE = 5

function moved(
  x: Float64Array,
  slope: Float32Array,
  { led, loss, step, composing }: { led: Led; loss: number; step: number; composing: Composing },
): Float64Array {
  led.isOver ||= step > PATIENCE && loss > led.before
  led.before = loss
  if (led.isOver) return x
  const share = composing.guidedSteps < 2 ? 0 : step / (composing.guidedSteps - 1)
  const size = STEP.size * Math.sqrt(STEP.from + share * (STEP.to - STEP.from))
  return x.map((value, i) => value - size * slope[i]!)
}

interface Drawing {
  readonly layouts: readonly Layout[]
  readonly words: readonly (readonly number[])[]
  readonly lead?: (
    xs: readonly Float64Array[],
    t: number,
    step: number,
  ) => Promise<readonly Float64Array[]>
}

/** DDIM with guidance; with and without words are asked together. */
async function drawn(
  network: ComposedNetwork,
  start: readonly Float64Array[],
  { layouts, words, lead }: Drawing,
  { steps }: Composing,
): Promise<Float64Array[]> {
  const plan = ddimLevels(LEVELS, steps)
  let xs: readonly Float64Array[] = start
  for (const [step, t] of plan.entries()) {
    if (lead) xs = await lead(xs, t, step)
    const prompts = [...xs.map(() => words), ...xs.map(() => emptied(words))]
    const both = { x: [...xs, ...xs], t, prompts, layouts: [...layouts, ...layouts] }
    const noises = await network.noise(both)
    const next = plan[step + 1] === undefined ? undefined : levelOf(plan[step + 1]!, LEVELS)
    const bounds = { level: levelOf(t, LEVELS), next, bound: 1 }
    xs = xs.map((x, i) => stepped(x, guided(noises[i]!, noises[xs.length + i]!, WEIGHT), bounds))
  }
  return [...xs]
}
