/** @file Names of arms in a configuration: the method, and a number if a method occurs twice. */
import type { Config } from './form-text.ts'

export interface Arm {
  /** The method's name. */
  readonly name: string
  readonly config: Config
}

interface NamedArm extends Arm {
  /** Absent if the method's name is enough. */
  readonly arm?: string
}

/** The second LoRA is `lora-2`; the first keeps the method's name. */
export const namedArms = (arms: readonly Arm[]): NamedArm[] =>
  arms.map(({ name, config }, index) => {
    const earlier = arms.slice(0, index).filter((each) => each.name === name).length
    return earlier === 0 ? { name, config } : { name, arm: `${name}-${earlier + 1}`, config }
  })
