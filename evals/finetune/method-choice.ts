/** @file A fine-tuning method as a configuration names it. */
import { z } from 'zod'

/**
 * A method and its configuration as given; `bindMethod` in `registry.ts` parses it. `arm` names its fine-tunes where one method
 * appears twice with different settings.
 */
export const MethodChoice = z.object({
  name: z.string().min(1),
  arm: z.string().min(1).optional(),
  config: z.record(z.string(), z.unknown()),
})
export type MethodChoice = z.infer<typeof MethodChoice>

/** The name of the arms that a choice trains: by default the method's name. */
export const armNameOf = ({ name, arm = name }: Pick<MethodChoice, 'name' | 'arm'>): string => arm
