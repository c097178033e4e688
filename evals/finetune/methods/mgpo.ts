/**
 * @file MGPO: LoRA whose gradient is computed at θ + ε, along the optimiser's momentum (LoRA-MGPO, EMNLP 2025 Findings, §3):
 * ε_t = ρ·m_{t−1}/‖m_{t−1}‖₂ · 1/ḡ_{t−1},  ḡ_t = β·ḡ_{t−1} + (1−β)·‖g_t‖₂,  ḡ_1 = ‖g_1‖₂, ε_1 = 0; the optimiser then
 * updates θ. m is AdamW's first moment; a constant factor cancels. One forward and one backward pass per step.
 *
 * The released code differs: the settings `sign` descend, `space` weight, `scope` layer and `inverseCap` 10 move the frozen W
 * by −ρ·D/‖D‖·min(1/ḡ, 10), D = s·(m_B·A + B·m_A), layer by layer. See docs/methods/ggpo-mgpo.md.
 */
import { z } from 'zod'
import { additive, lowRankFields, peftConfigOf } from './low-rank.ts'
import type { FineTuneMethod, Perturbation, StepState } from '../method.ts'
import { changeTerms, copied, eachRow, pairsOf, rowSquares, type PairSlices } from './pairs.ts'
import { scaleOf } from '../../models/formats/peft-config.ts'
import { realNumber } from '../settings.ts'

const config = z.object({
  ...lowRankFields,
  rho: realNumber({ min: 0, max: 100 }, 0.05, {
    label: 'Radius ρ',
    help: 'Size of the perturbation; 0 is LoRA',
  }),
  gradientMemory: realNumber({ min: 0, max: 0.9999 }, 0.9, {
    label: 'Norm β',
    help: 'Memory of the mean gradient norm ḡ',
  }),
  sign: z
    .enum(['ascend', 'descend'])
    .default('ascend')
    .meta({ label: 'Sign', help: 'Up along the momentum as in the paper, or down as in its code' }),
  space: z
    .enum(['adapter', 'weight'])
    .default('adapter')
    .meta({ label: 'Space', help: 'Move A and B as in the paper, or the weight as in its code' }),
  scope: z.enum(['global', 'layer']).default('global').meta({
    label: 'Scope',
    help: 'Norms over all layers as in the paper, or each as in its code',
  }),
  inverseCap: realNumber({ min: 0, max: 1e6 }, 0, {
    label: 'Cap of 1/ḡ',
    help: 'Largest 1/ḡ; 0 is none as in the paper, its code has 10',
  }),
})
type Config = z.infer<typeof config>

const TINY = 1e-12

export const mgpo: FineTuneMethod<Config> = {
  name: 'mgpo',
  title: 'LoRA-MGPO',
  paper: 'arXiv:2502.14538v3',
  faithfulness: 'exact',
  notes: [
    'Paper: +ρ, in adapter space, one global ḡ. Released code: −ρ, in weight space, by layer, 1/ḡ capped at 10. The settings sign, space, scope and inverse cap choose; the paper’s are the defaults.',
    'The paper’s table of costs counts the parameters of rank 128 beside the scores of rank 8: only its relative cost can be quoted.',
    'What the paper calls double descent is a rebound of the training loss over steps, not of test error over capacity.',
    'The norm of the gradient is taken before clipping.',
  ],
  config,
  mergeable: true,
  identityAtStart: true,
  // Row norms of high ranks are summed in another order.
  revision: 2,

  hooks: (config) => ({
    ...additive(peftConfigOf(config)),
    memory: (layout) => (config.scope === 'global' ? 1 : pairsOf(layout).length),
    perturb(state) {
      if (config.rho === 0 || state.step === 0) return undefined
      return config.space === 'adapter' ? moveAdapters(state, config) : moveWeights(state, config)
    },
    step({ step, parameters, gradient, memory, layout }) {
      const squares = pairsOf(layout).map((pair) =>
        config.space === 'adapter'
          ? squareIn(gradient, pair)
          : weightSquare(parameters, gradient, pair, config),
      )
      const norms = normsBy(config, squares).slice(0, memory.length)
      const keep = step === 0 ? 0 : config.gradientMemory
      const next = memory.map((mean, i) => keep * mean + (1 - keep) * (norms[i] ?? 0))
      return { gradient, memory: next }
    },
  }),
}

/** ‖A‖² + ‖B‖² of one pair in a flat vector. */
function squareIn(flat: Float32Array, { A, B }: PairSlices): number {
  let sum = 0
  for (const { start, end } of [A, B]) for (let i = start; i < end; i++) sum += flat[i]! * flat[i]!
  return sum
}

function weightSquare(
  parameters: Float32Array,
  change: Float32Array,
  pair: PairSlices,
  config: Config,
): number {
  const scale = scaleOf(peftConfigOf(config), pair.name)
  return rowSquares(pair, changeTerms(parameters, change, pair), scale).reduce((a, b) => a + b, 0)
}

/** One norm per pair: its own, or the norm over all pairs. */
function normsBy({ scope }: Config, squares: readonly number[]): number[] {
  const total = Math.sqrt(squares.reduce((sum, square) => sum + square, 0))
  return squares.map((square) => (scope === 'global' ? total : Math.sqrt(square)))
}

/** The factor ±ρ/(‖direction‖·ḡ) of each pair's direction, whose squared norm is `squareOf`. */
function factors(
  { memory, layout }: StepState,
  config: Config,
  squareOf: (pair: PairSlices) => number,
): number[] {
  const { rho, sign, scope, inverseCap } = config
  return normsBy(config, pairsOf(layout).map(squareOf)).map((norm, i) => {
    const inverse = 1 / (memory[scope === 'global' ? 0 : i]! + TINY)
    const capped = inverseCap > 0 ? Math.min(inverse, inverseCap) : inverse
    return ((sign === 'ascend' ? rho : -rho) * capped) / (norm + TINY)
  })
}

function moveAdapters(state: StepState, config: Config): Perturbation {
  const { parameters, firstMoment, layout } = state
  const pairs = pairsOf(layout)
  const scales = factors(state, config, (pair) => squareIn(firstMoment, pair))
  const moved = parameters.slice()
  pairs.forEach(({ A, B }, p) => {
    for (const { start, end } of [A, B])
      for (let i = start; i < end; i++) moved[i] = moved[i]! + scales[p]! * firstMoment[i]!
  })
  return { parameters: moved }
}

function moveWeights(state: StepState, config: Config): Perturbation {
  const { parameters, firstMoment, layout } = state
  const pairs = pairsOf(layout)
  const scales = factors(state, config, (pair) =>
    weightSquare(parameters, firstMoment, pair, config),
  )
  const inputs = new Map<string, Float32Array>()
  pairs.forEach((pair, p) => {
    const name = `${pair.name}.weight`
    const W = layout.weight(name)
    const moved = copied(layout, name, W)
    const scale = scaleOf(peftConfigOf(config), pair.name) * scales[p]!
    const terms = changeTerms(parameters, firstMoment, pair)
    eachRow(pair, terms, scale, (i, row) => moved.set(row, i * pair.columns), W)
    inputs.set(name, moved)
  })
  return { inputs }
}
