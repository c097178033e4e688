/** @file An adapter's configuration as in PEFT, and the rank and scale of each module: s = α/r, or α/√r for rsLoRA. */

/** Target: every linear layer of the blocks, without the head. */
export const ALL_LINEAR = 'all-linear'

export interface PeftConfig {
  /** `base_model_name_or_path`. */
  readonly base: string
  readonly rank: number
  readonly alpha: number
  readonly targetModules: readonly string[]
  /** Rank and alpha by module name or suffix. */
  readonly rankPattern?: Readonly<Record<string, number>>
  readonly alphaPattern?: Readonly<Record<string, number>>
  readonly dropout?: number
  readonly useRslora?: boolean
  readonly useDora?: boolean
  /** Weights stored transposed, as GPT-2 does. */
  readonly fanInFanOut?: boolean
  /**
   * `true`, `false` or a name. PiSSA, OLoRA and others modify the base, so that the adapter alone is not the whole change.
   */
  readonly initLoraWeights?: boolean | string
  /** An embedding that is saved whole stays tied to the head; PEFT otherwise leaves the head with the base's. */
  readonly ensuresTying?: boolean
}

/** Whether `pattern` is `module` or its suffix after a dot; a leading ^ requires the whole name. */
export const namesModule = (pattern: string, module: string): boolean =>
  pattern.startsWith('^')
    ? module === pattern.slice(1)
    : module === pattern || module.endsWith(`.${pattern}`)

/** The value of the first pattern that matches the module. */
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

/** Initialisations that subtract s·B₀·A₀ (or a quantisation error) from the base before training. */
const MOVES_BASE = /^(?:pissa(?:_niter_\d+)?|olora|corda|lora_ga|loftq)$/u

/** The initialisation that modified the base, so that B and A do not apply to the original base. */
const movedBy = ({ initLoraWeights: start }: PeftConfig): string | undefined =>
  typeof start === 'string' && MOVES_BASE.test(start) ? start : undefined

/** Warns of an unconverted adapter whose initialisation modified the base (docs/methods/initialisation.md). */
export function rawStartOf(config: PeftConfig, path: string): string[] {
  const start = movedBy(config)
  if (start === undefined) return []
  return [
    `${path} began with ${start}, which moves the base, and says so still: on the original base it is not the model that was trained. Convert it when saving (PEFT: path_initial_model_for_weight_conversion).`,
  ]
}
