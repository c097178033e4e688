/** @file A fine-tuning method as a configuration names it. */
import { z } from 'zod'

/**
 * A method with its own configuration, parsed by the method's schema. `arm` is what its fine-tunes are called where one method
 * stands beside itself with other settings; the method's name if it is not given.
 */
export const MethodChoice = z.object({
  name: z.string().min(1),
  arm: z.string().min(1).optional(),
  config: z.record(z.string(), z.unknown()),
})
export type MethodChoice = z.infer<typeof MethodChoice>

export const armOf = ({ name, arm = name }: Pick<MethodChoice, 'name' | 'arm'>): string => arm
