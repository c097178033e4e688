/**
 * @file An adapter's configuration as PEFT means it, and the rules that give each module its rank and its scale:
 * s = α/r, or α/√r for rsLoRA, with the module's own α and r.
 */

/** As a target: every linear layer of the blocks, and not the head. */
export const ALL_LINEAR = 'all-linear'

export interface PeftConfig {
  /** `base_model_name_or_path`. */
  readonly base: string
  readonly rank: number
  readonly alpha: number
  readonly targetModules: readonly string[]
  /** Module name or its end → rank, alpha of that module. */
  readonly rankPattern?: Readonly<Record<string, number>>
  readonly alphaPattern?: Readonly<Record<string, number>>
  readonly dropout?: number
  readonly useRslora?: boolean
  readonly useDora?: boolean
  /** Weights stored transposed, as GPT-2 does. */
  readonly fanInFanOut?: boolean
  /** `true`, `false` or a name; "pissa", "olora" and others moved the base, so the adapter alone is not the whole change. */
  readonly initLoraWeights?: boolean | string
}

/** Whether `pattern` is `module` or its end from a dot on; a leading ^ asks for the whole name. */
export const namesModule = (pattern: string, module: string): boolean =>
  pattern.startsWith('^')
    ? module === pattern.slice(1)
    : module === pattern || module.endsWith(`.${pattern}`)

/** Rank and alpha may differ by module: the first pattern that names it counts. */
function byPattern(
  patterns: Readonly<Record<string, number>> | undefined,
  module: string,
  otherwise: number,
): number {
  const hit = Object.entries(patterns ?? {}).find(([pattern]) => namesModule(pattern, module))
  return hit?.[1] ?? otherwise
}

export const rankOf = (config: PeftConfig, module: string): number =>
  byPattern(config.rankPattern, module, config.rank)

/** s of `module`. */
export function scaleOf(config: PeftConfig, module: string): number {
  const rank = rankOf(config, module)
  const alpha = byPattern(config.alphaPattern, module, config.alpha)
  return config.useRslora === true ? alpha / Math.sqrt(rank) : alpha / rank
}

/** Starts after which PEFT takes s·B₀·A₀ (or a quantisation's error) out of the base before training. */
const MOVES_BASE = /^(?:pissa(?:_niter_\d+)?|olora|corda|lora_ga|loftq)$/u

/** The start by which the base was moved, so that B and A alone are wrong on the original base; `undefined` where none. */
const movedBy = ({ initLoraWeights: start }: PeftConfig): string | undefined =>
  typeof start === 'string' && MOVES_BASE.test(start) ? start : undefined

/** An adapter whose training began by moving the base, unconverted, is not what was trained (methods.md §5.4). */
export function rawStartOf(config: PeftConfig, path: string): string[] {
  const start = movedBy(config)
  if (start === undefined) return []
  return [
    `${path} began with ${start}, which moves the base, and says so still: on the original base it is not the model that was trained. Convert it when saving (PEFT: path_initial_model_for_weight_conversion).`,
  ]
}
