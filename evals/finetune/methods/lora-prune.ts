/**
 * @file LoRAPrune: heads and channels go while LoRA trains (Zhang et al. 2023). Each step adds to a running importance of each group,
 * I ← 0.9·I + 0.1·Î; every few steps the least important groups of each layer go, as a cubic schedule allows, and none comes back.
 * What is gone is masked in front of the matrix that reads it (o, down), so it neither answers nor learns.
 * See docs/methods/compressed-training.md.
 */
import { z } from 'zod'
import { scaleOf, type PeftConfig } from '../../models/formats/peft-config.ts'
import type { Adapter, LinearSite } from '../../models/scope.ts'
import type { Model } from '../../models/registry.ts'
import type { Graph } from '../../graph/ops/index.ts'
import { cutWeight, groupsOf, highest, keptChannels, keptOf, READING, type Groups } from '../cut.ts'
import type { EndState, FineTuneMethod, KeptChannels, StepState } from '../method.ts'
import { channelScores, importanceOf, rampOf, SCORES, shareAt } from '../pruning.ts'
import { realNumber, wholeNumber } from '../settings.ts'
import { additive, LORA_A, LORA_B, lowRankFields, peftConfigOf, targets } from './low-rank.ts'
import { withUpdate } from './moved-base.ts'
import { pairsOf } from './pairs.ts'

const config = z.object({
  ...lowRankFields,
  prune: realNumber({ min: 0, max: 0.95 }, 0.5, {
    label: 'Pruned share',
    help: 'Of the heads and of the channels of each layer that are gone at the end',
  }),
  pruneEvery: wholeNumber({ min: 1, max: 10_000 }, 10, {
    label: 'Prune every',
    help: 'Steps between two prunings',
  }),
  pruneWarmUp: realNumber({ min: 0, max: 0.9 }, 0.1, {
    label: 'Before pruning',
    help: 'Share of the steps before the first group goes',
  }),
  pruneCoolDown: realNumber({ min: 0, max: 0.9 }, 0.1, {
    label: 'After pruning',
    help: 'Share of the steps after the last group went',
  }),
  pruneScore: z.enum(SCORES).default('absolute').meta({
    label: 'Score',
    help: 'Importance of a number: |gradient · weight| as in the authors’ code, or its square as in the paper',
  }),
  pruneEdges: z.boolean().default(false).meta({
    label: 'Prune edges',
    help: 'Prune the first tenth of the layers and the last one too; all layers then have one size, which a model folder can say',
  }),
})
type Config = z.infer<typeof config>

const MASK = 'prune_mask'

/** Kept of the old importance at each step. */
const MEMORY = 0.9

const TITLE = 'LoRAPrune'

export const loraPrune: FineTuneMethod<Config> = {
  name: 'lora-prune',
  title: TITLE,
  paper: 'arXiv:2305.18403',
  faithfulness: 'simplified',
  notes: [
    'The paper writes the squared score, the authors’ code the absolute one; the setting chooses. Groups are ranked in each layer, not across layers.',
    'The first tenth of the layers and the last one stay whole unless --prune-edges is given; at least one head of keys and an eighth of the channels of a layer are kept.',
    'For gated decoders with separate projections (Llama, Mistral, Qwen, Gemma, SmolLM3). It ends in whole weights: in smaller shapes where all layers have one size, with zeros otherwise.',
  ],
  config,
  mergeable: true,
  identityAtStart: true,

  hooks(config) {
    const peft = peftConfigOf(config)
    return {
      attach: (g, site) => masked(g, site, additive(peft).attach(g, site)),
      memory: ({ model }) => groupsIn(model).reduce((sum, { count }) => sum + count, 0),
      step: (state) => pruned(state, config),
      kept: keptIn,
      toWeights: (state) => tunedWeights(state, peft),
    }
  },
}

/** The adapted layer with its mask `[in]`, which a layer that is not adapted has too. */
function masked(g: Graph, site: LinearSite, adapter: Adapter | undefined): Adapter | undefined {
  if (!READING.has(site.module)) return adapter
  const { weight: W } = site
  const mask = g.parameter(`${site.name}.${MASK}`, [site.inFeatures], {
    initialiser: 'ones',
    learningRateScale: 0,
  })
  return {
    forward(x) {
      const left = g.mul(x, mask)
      return adapter ? adapter.forward(left) : g.matMulT(left, W)
    },
    weight: () => g.mul(adapter?.weight() ?? W, mask),
  }
}

const opened = new WeakMap<Model['weights'], Groups[]>()

/** Attention and MLP of each block, in order. */
function groupsIn(model: Model): Groups[] {
  const found = opened.get(model.weights) ?? groupsOf(model, TITLE)
  opened.set(model.weights, found)
  return found
}

const readerOf = ({ members }: Groups) => members.find(({ side }) => side === 'columns')!

/** Whether each group is gone, by the mask in front of the matrix that reads it. */
function goneIn(groups: Groups, maskOf: (name: string) => Float32Array): boolean[] {
  const { layer, width } = readerOf(groups)
  const mask = maskOf(`${layer}.${MASK}`)
  return Array.from({ length: groups.count }, (_, group) => mask[group * width] === 0)
}

const indicesOf = (gone: readonly boolean[]) => gone.flatMap((isGone, i) => (isGone ? [] : [i]))

function keptIn({ model, parameters }: EndState): ReadonlyMap<string, KeptChannels> {
  const kept = groupsIn(model).flatMap((groups) =>
    keptChannels(groups, indicesOf(goneIn(groups, (name) => parameters.get(name)!.data))),
  )
  return new Map(kept)
}

/** W + s·B·A of each adapted layer, with zeros where groups are gone. */
function tunedWeights(state: EndState, peft: PeftConfig): Map<string, Float32Array> {
  const kept = keptIn(state)
  const changed = new Map<string, Float32Array>()
  for (const spec of state.model.weights.values()) {
    const layer = spec.name.replace(/\.weight$/u, '')
    const [A, B] = [LORA_A, LORA_B].map((side) => state.parameters.get(`${layer}.${side}`)?.data)
    const part = keptOf(spec, kept)
    if (!A && !part) continue
    const own = state.weight(spec.name)
    const tuned = A && B ? withUpdate(own, { A, B }, scaleOf(peft, layer)) : own
    changed.set(spec.name, cutWeight(tuned, part))
  }
  return changed
}

const isEdge = (block: number, blocks: number): boolean =>
  block < Math.floor(0.1 * blocks) || block === blocks - 1

/** At least one head of keys, or an eighth of the channels. */
const leastOf = ({ count, members }: Groups): number =>
  members.some(({ width }) => width > 1) ? 1 : Math.ceil(count / 8)

/** The running importance of every group, and at a pruning step the masks. */
function pruned(state: Stepped, config: Config) {
  const { layout, gradient, memory, step, steps } = state
  const ramp = { steps, warmUp: config.pruneWarmUp, coolDown: config.pruneCoolDown }
  const { begin, end } = rampOf(ramp)
  const t = step + 1
  const isDue = t >= begin && t <= end && (t % config.pruneEvery === 0 || t === end)
  const share = shareAt(t, config.prune, ramp)
  const peft = peftConfigOf(config)
  const all = groupsIn(layout.model)
  const next = Float32Array.from(memory)
  const masks = new Map<string, Float32Array>()
  let from = 0
  all.forEach((groups, i) => {
    const gone = goneIn(groups, (name) => valueOf(state, name))
    const running = next.subarray(from, (from += groups.count))
    const now = importanceOf(groups, gone, ({ layer, side }) =>
      scoresOf(state, layer, side, config),
    )
    now.forEach((score, j) => (running[j] = MEMORY * running[j]! + (1 - MEMORY) * score))
    const isWhole = isEdge(Math.floor(i / 2), all.length / 2) && !config.pruneEdges
    const isScored = groups.members.some(({ layer }) => targets(peft, layer))
    if (isDue && isScored && !isWhole) masks.set(...maskAfter(groups, gone, running, share))
  })
  return { gradient, memory: next, parameters: masks }
}

type Stepped = StepState & { readonly gradient: Float32Array }

function valueOf({ layout, parameters }: StepState, name: string): Float32Array {
  const { start, end } = layout.table.slices.find((slice) => slice.name === name)!
  return parameters.subarray(start, end)
}

function scoresOf(
  { layout, parameters, gradient }: Stepped,
  layer: string,
  side: 'rows' | 'columns',
  config: Config,
): Float64Array | undefined {
  const pair = pairsOf(layout).find(({ name }) => name === layer)
  if (!pair) return undefined
  const weight = layout.weight(`${layer}.weight`)
  const scale = scaleOf(peftConfigOf(config), layer)
  return channelScores(pair, side, {
    parameters,
    gradient,
    scale,
    weight,
    score: config.pruneScore,
  })
}

/** The mask once so many groups are gone: those that were, then the least important. */
function maskAfter(
  groups: Groups,
  gone: readonly boolean[],
  importance: Float32Array,
  share: number,
): [string, Float32Array] {
  const { count } = groups
  const already = gone.filter(Boolean).length
  const most = count - leastOf(groups)
  const many = Math.max(already, Math.min(most, Math.floor(share * count)))
  const kept = highest(
    gone.map((isGone, i) => (isGone ? -1 : importance[i]!)),
    many,
  )
  const { layer, width } = readerOf(groups)
  const mask = new Float32Array(count * width)
  for (const group of kept) mask.fill(1, group * width, (group + 1) * width)
  return [`${layer}.${MASK}`, mask]
}
