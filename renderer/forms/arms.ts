/** @file Arms as a configuration names them: by their method, and where one method stands twice, by a number as well. */
import type { Config } from './form-text.ts'

export interface Arm {
  /** The method's. */
  readonly name: string
  readonly config: Config
}

interface NamedArm extends Arm {
  /** Absent where the method's name says enough. */
  readonly arm?: string
}

/** The second LoRA is `lora-2`; the first keeps the method's name. */
export const namedArms = (arms: readonly Arm[]): NamedArm[] =>
  arms.map(({ name, config }, index) => {
    const earlier = arms.slice(0, index).filter((each) => each.name === name).length
    return earlier === 0 ? { name, config } : { name, arm: `${name}-${earlier + 1}`, config }
  })
