/**
 * @file Names what is wrong with an artefact's weights, and where it begins: by their numbers, and by bisection where rounding
 * alone exceeds the limits.
 */
import type { Model } from '../../models/registry.ts'
import { isSameComputation, settingsThatDiffer } from '../../models/formats/gguf/check.ts'
import { roundingOf } from './limits.ts'
import type { Fault } from './text-faults.ts'
import type { Deviation, Kept, WeightsFound } from './weight-check.ts'

/** In the order of the forward pass: weights before the blocks, each block, weights after them. */
interface LayerGroup {
  readonly title: string
  readonly names: readonly string[]
}

export function layerGroups({ weights }: Model): LayerGroup[] {
  const places = Map.groupBy(weights.values(), ({ name, kind }) => {
    const layer = /\.(\d+)\./u.exec(name)?.[1]
    if (layer !== undefined) return Number(layer)
    return kind === 'embedding' ? -1 : Infinity
  })
  return [...places]
    .sort(([a], [b]) => a - b)
    .map(([place, specs]) => ({ title: titleOf(place), names: specs.map(({ name }) => name) }))
}

function titleOf(place: number): string {
  if (place === -1) return 'embedding'
  return place === Infinity ? 'final norm and head' : `layer ${place}`
}

/**
 * The first group such that the artefact's weights up to it, with the measured weights after it, exceed the limits;
 * undefined if all of the artefact's weights do not. Takes log₂(groups) measurements.
 */
export async function firstFailing(
  groups: readonly LayerGroup[],
  failsWith: (swapped: ReadonlySet<string>) => Promise<boolean>,
): Promise<LayerGroup | undefined> {
  const upTo = (count: number) => new Set(groups.slice(0, count).flatMap(({ names }) => names))
  if (!(await failsWith(upTo(groups.length)))) return undefined
  let [holds, fails] = [0, groups.length]
  while (fails - holds > 1) {
    const middle = (holds + fails) >> 1
    if (await failsWith(upTo(middle))) fails = middle
    else holds = middle
  }
  return groups[fails - 1]
}

export interface Located {
  /** The first place where something is wrong; null where nothing is, or not in a layer. */
  readonly layer: string | null
  readonly faults: readonly Fault[]
}

/** What the numbers show: a merge at another scale, or else weights beside what their storage may round away. */
export function weightFaults(measured: Model, { wrong, worst, kept }: WeightsFound): Located {
  const scaled = kept && scaleFault(kept, wrong)
  if (scaled === null && wrong.length === 0) return { layer: null, faults: [] }
  const names = new Set(wrong.map(({ name }) => name))
  const first = layerGroups(measured).find((group) => group.names.some((name) => names.has(name)))
  return {
    layer: first?.title ?? (names.size > 0 ? titleOf(Infinity) : null),
    faults: [scaled ?? mergeFault(worst, wrong.length - 1)],
  }
}

/** Another factor that explains so much of the deviation is its cause, beside rounding. */
const EXPLAINED = 0.5
/** Least difference of the factor, and how many times its error. */
const [OTHER_SCALE, SURE] = [0.02, 6]

function scaleFault({ factor, error, explained }: Kept, wrong: readonly unknown[]): Fault | null {
  const isOther = Math.abs(factor - 1) > Math.max(OTHER_SCALE, SURE * error)
  if (!isOther || (wrong.length > 0 && explained < EXPLAINED)) return null
  if (Math.abs(factor) < Math.max(OTHER_SCALE, SURE * error)) {
    const what = 'the weights are those of the base: the adapter is not in them'
    return { kind: 'not-merged', what }
  }
  const times = Number(factor.toPrecision(3))
  const what = `the change is ${times} times what was measured: another alpha or rank`
  return { kind: 'scale', what }
}

function mergeFault({ name, storage, share, row, scale }: Deviation, others: number): Fault {
  const most = roundingOf(storage)
  const [seen, off, limit] = [
    ['', share, most.share],
    ['a row of ', row, most.row],
    ['the scale of ', Math.abs(scale), most.scale],
  ]
    .map(([what, value, bound]) => [what, value, bound] as [string, number, number])
    .reduce((a, b) => (b[1] / b[2] > a[1] / a[2] ? b : a))
  const percent = (value: number) => `${Number((100 * value).toPrecision(3))} %`
  const company = others === 0 ? 'and no other' : `and ${others} more`
  const what = `${seen}${name} is off by ${percent(off)} (${storage} rounds away at most ${percent(limit)}), ${company}`
  return { kind: 'merge', what }
}

/** Null where an artefact's settings compute the same as those that were measured. */
export function configurationFault(measured: Model, own: Model): Fault | null {
  const alike = withTieOf(measured, own)
  if (isSameComputation(measured, alike)) return null
  const settings = settingsThatDiffer(alike, measured).join(', ')
  const what = `config.json computes otherwise${settings === '' ? '' : `: ${settings}`}`
  return { kind: 'configuration', what }
}

/** A head of its own that holds the embedding's numbers computes the same. */
const withTieOf = (measured: Model, own: Model): Model =>
  tiedHead(measured, own) === null
    ? own
    : { ...own, config: { ...(own.config as object), tie_word_embeddings: true } }

/** The artefact's own head, and the embedding that is the head in what was measured. */
export function tiedHead(
  { architecture, config }: Model,
  own: Model,
): { readonly name: string; readonly embedding: string } | null {
  const tie = architecture.tie?.(config)
  return tie && own.weights.has(tie.head) ? { name: tie.head, embedding: tie.embedding } : null
}
