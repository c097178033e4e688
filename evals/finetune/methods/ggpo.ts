/**
 * @file GGPO: LoRA whose gradient is computed at randomly perturbed weights W′ + ε; ε is never stored.
 *
 * Form `v1` (arXiv 2502.14538v1, eqs. 6–8, second-hand): for row i of W′ = W + s·B·A `[out, in]`, n = in,
 * ε_i ~ N(0, (σ²/n)·(‖W′_i‖² + β·‖G̃_i‖²)·I), G̃ = s·(B·∇A + ∇B·A) of the previous step (initially 0).
 * Form `kohya` (sd-scripts' networks): std_i = (1/√out)·(σ·√(w̄² + ‖(BA)_i‖²) + β·‖G̃_i‖²), w̄ the mean row norm of W; the
 * noise is added to the output, without a gradient. See docs/methods/ggpo-mgpo.md.
 *
 * Shape `isotropic` is the control: one deviation for every number of every adapted layer, with the same E‖ε‖² in each step.
 */
import { z } from 'zod'
import type { Graph } from '../../graph/ops/index.ts'
import { additive, lowRankFields, peftConfigOf } from './low-rank.ts'
import type { Adapter, FineTuneMethod, Layout, LinearSite, Mode, StepState } from '../method.ts'
import { addRowNoise } from './noise.ts'
import { changeTerms, copied, pairsOf, rowSquares, termIn, type PairSlices } from './pairs.ts'
import { scaleOf } from '../../models/formats/peft-config.ts'
import { realNumber } from '../settings.ts'

const config = z.object({
  ...lowRankFields,
  form: z
    .enum(['v1', 'kohya'])
    .default('v1')
    .meta({ label: 'Form', help: 'The paper’s first version, or the form of kohya’s scripts' }),
  shape: z.enum(['rows', 'isotropic']).default('rows').meta({
    label: 'Shape',
    help: 'Noise by row as in the paper, or the same energy spread evenly over every number: a control',
  }),
  sigma: realNumber({ min: 0, max: 10 }, 0.03, {
    label: 'Noise σ',
    help: 'Size of the noise against the weights’ rows; 0 is LoRA',
  }),
  beta: realNumber({ min: 0, max: 1000 }, 0.01, {
    label: 'Noise β',
    help: 'How much the last gradient adds to the noise',
  }),
})
type Config = z.infer<typeof config>

/** Input that holds ε `[in, out]` in training (form `kohya`). */
const NOISE = 'ggpo_noise'

const isNoisy = ({ form, sigma, beta }: Config): boolean =>
  sigma > 0 || (form === 'kohya' && beta > 0)

export const ggpo: FineTuneMethod<Config> = {
  name: 'ggpo',
  title: 'LoRA-GGPO',
  paper: 'arXiv:2502.14538v1',
  faithfulness: 'variant',
  notes: [
    'The formula of version 1 is known second-hand; kohya’s form differs from it (1/√out, deviation instead of variance, squared gradient norm). The setting "form" chooses, v1 by default.',
    'The paper was renamed LoRA-MGPO in its later versions, and its algorithm changed: see mgpo.',
    'What the paper calls double descent is a rebound of the training loss over steps, not of test error over capacity.',
  ],
  config,
  mergeable: true,
  identityAtStart: true,
  // Row norms of high ranks are summed in another order.
  revision: 2,

  control: (config) => (config.shape === 'rows' ? { ...config, shape: 'isotropic' } : undefined),

  hooks: (config) => ({
    ...additive(peftConfigOf(config)),
    attach: (g, site, mode) => attach(g, site, config, mode),
    memory: memorySize,
    perturb: (state) => (isNoisy(config) ? { inputs: noisyInputs(state, config) } : undefined),
    step({ layout, parameters, gradient }) {
      const memory = new Float32Array(memorySize(layout))
      let start = 0
      for (const pair of pairsOf(layout)) {
        const scale = scaleOf(peftConfigOf(config), pair.name)
        memory.set(rowSquares(pair, changeTerms(parameters, gradient, pair), scale), start)
        start += pair.rows
      }
      return { gradient, memory }
    },
  }),
}

/** One squared gradient norm per row of every adapted layer. */
const memorySize = (layout: Layout): number =>
  pairsOf(layout).reduce((sum, { rows }) => sum + rows, 0)

function attach(g: Graph, site: LinearSite, config: Config, mode?: Mode): Adapter | undefined {
  const adapter = additive(peftConfigOf(config)).attach(g, site)
  if (!adapter || mode !== 'train' || config.form === 'v1' || !isNoisy(config)) return adapter
  const noise = g.input(`${site.name}.${NOISE}`, g.float, [site.inFeatures, site.outFeatures])
  // `scaledMatMul` has no gradient, so the noise does not enter the gradient of x.
  return { ...adapter, forward: (x) => g.add(adapter.forward(x), g.scaledMatMul(x, noise, 1)) }
}

function noisyInputs(state: StepState, config: Config): Map<string, Float32Array> {
  const inputs = new Map<string, Float32Array>()
  for (const [pair, deviations] of allDeviations(state, config)) {
    if (config.form === 'v1')
      inputs.set(`${pair.name}.weight`, noisyWeight(state, pair, deviations))
    else inputs.set(`${pair.name}.${NOISE}`, transposedNoise(state, pair, deviations))
  }
  return inputs
}

/** Standard deviation of ε in each row of each adapted layer, `[rows]`, in the configured shape. */
export function allDeviations(state: StepState, config: Config): Map<PairSlices, Float64Array> {
  let start = 0
  const byRow = pairsOf(state.layout).map((pair) => {
    const gradientSquares = state.memory.subarray(start, (start += pair.rows))
    return [pair, noiseDeviations(state, pair, gradientSquares, config)] as const
  })
  if (config.shape === 'rows') return new Map(byRow)
  // E‖ε‖² = Σ columns·deviation² over all rows, spread over as many numbers as there are.
  const energies = byRow.flatMap(([{ columns }, own]) => Array.from(own, (d) => columns * d * d))
  const numbers = byRow.reduce((sum, [{ rows, columns }]) => sum + rows * columns, 0)
  const even = Math.sqrt(energies.reduce((sum, energy) => sum + energy, 0) / numbers)
  return new Map(byRow.map(([pair, own]) => [pair, own.map(() => even)]))
}

/** Standard deviation of ε in each row of one layer by the configured form, `[rows]`. */
export function noiseDeviations(
  { layout, parameters }: StepState,
  pair: PairSlices,
  gradientSquares: Float32Array,
  config: Config,
): Float64Array {
  const { form, sigma, beta } = config
  const W = layout.weight(`${pair.name}.weight`)
  const terms = [termIn(parameters, pair)]
  if (form === 'v1') {
    const squares = rowSquares(pair, terms, scaleOf(peftConfigOf(config), pair.name), W)
    const share = sigma / Math.sqrt(pair.columns)
    return squares.map((square, i) => share * Math.sqrt(square + beta * gradientSquares[i]!))
  }
  const mean = meanRowNorm(pair, W)
  return rowSquares(pair, terms, 1).map(
    (square, i) =>
      (sigma * Math.sqrt(mean * mean + square) + beta * gradientSquares[i]!) / Math.sqrt(pair.rows),
  )
}

const meanNorms = new WeakMap<Float32Array, number>()

function meanRowNorm(pair: PairSlices, W: Float32Array): number {
  if (!meanNorms.has(W)) {
    const norms = rowSquares(pair, [], 1, W).map(Math.sqrt)
    meanNorms.set(W, norms.reduce((sum, norm) => sum + norm, 0) / norms.length)
  }
  return meanNorms.get(W)!
}

const labelOf = ({ step, microBatch }: StepState, { name }: PairSlices): string =>
  `ggpo:${step}:${microBatch}:${name}`

function noisyWeight(state: StepState, pair: PairSlices, deviations: Float64Array): Float32Array {
  const name = `${pair.name}.weight`
  const moved = copied(state.layout, name, state.layout.weight(name))
  addRowNoise(moved, deviations, state.seed, labelOf(state, pair))
  return moved
}

function transposedNoise(
  state: StepState,
  pair: PairSlices,
  deviations: Float64Array,
): Float32Array {
  const { rows, columns } = pair
  const noise = new Float32Array(rows * columns)
  addRowNoise(noise, deviations, state.seed, labelOf(state, pair))
  const transposed = new Float32Array(noise.length)
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) transposed[j * rows + i] = noise[i * columns + j]!
  }
  return transposed
}
