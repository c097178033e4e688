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
  /** The head follows a changed embedding; PEFT otherwise leaves it with the base's. */
  readonly ensuresTying?: boolean
  /** Parameters that are adapted by name, not as layers: stacks of experts. */
  readonly targetParameters?: readonly string[]
}

/** Whether `name` is `module` or its suffix after a dot, as PEFT reads a list of targets. */
export const namesModule = (name: string, module: string): boolean =>
  module === name || module.endsWith(`.${name}`)

/** A key of `rank_pattern` or `alpha_pattern`, as PEFT reads it (`get_pattern_key`): for the whole name or its end after a dot. */
export const patternOfModules = (key: string): RegExp => new RegExp(`^(?:.*\\.)?(?:${key})$`, 'u')

const EXPERTS = /\.experts(?<inner>\.base_layer)?$/u

/** Whether a module of an adapter is a stack of experts, as transformers 5 keeps them. */
export const isExperts = (module: string): boolean => EXPERTS.test(module)

/** The stacks of one layer as parameters: PEFT wraps the module once for each, in this order from the inside. */
const STACKS = ['gate_up_proj', 'down_proj'] as const

/**
 * The name by which the configuration speaks of a module of the adapter: a parameter's where `target_parameters` names it
 * (`…experts.gate_up_proj`, `…gate.weight`), else the module's.
 */
export function adaptedName({ targetParameters = [] }: PeftConfig, module: string): string {
  const isTarget = (name: string) => targetParameters.some((target) => namesModule(target, name))
  const experts = EXPERTS.exec(module)
  if (!experts) return isTarget(`${module}.weight`) ? `${module}.weight` : module
  const { inner } = experts.groups!
  const stack = module.slice(0, module.length - (inner?.length ?? 0))
  const adapted = STACKS.map((name) => `${stack}.${name}`).filter(isTarget)
  return adapted.at(inner === undefined ? -1 : 0) ?? module
}

/** The value of the first pattern that matches the module. */
function byPattern(
  patterns: Readonly<Record<string, number>> | undefined,
  module: string,
  otherwise: number,
): number {
  const hit = Object.entries(patterns ?? {}).find(([key]) => patternOfModules(key).test(module))
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
