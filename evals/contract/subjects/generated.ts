/** @file What is stored of an adapter that was generated from others for a task, and of its two controls. */
import { z } from 'zod'

/** The adapter itself, the mean of its sources, and the source that lies nearest to it. */
export const GENERATED = ['generated', 'mean', 'nearest'] as const

export const GeneratedAdapter = z.object({
  /** Those of one generator belong together. */
  line: z.string(),
  kind: z.enum(GENERATED),
  /** Data whose prompts stand for the task that it was generated for. */
  wanted: z.string(),
  tasks: z.array(z.object({ name: z.string(), adapters: z.array(z.string()) })),
  /** Of the generator at its first and its last step. */
  loss: z.tuple([z.number(), z.number()]),
  /** ‖ΔW′ − ΔW‖/‖ΔW‖ of the sources through the generator. */
  reconstruction: z.object({ median: z.number(), worst: z.number() }),
  /** Root mean square distance of normalised numbers from the generated adapter to its nearest source. */
  nearest: z.object({ adapter: z.string(), distance: z.number() }),
  /** The median of the sources' own distances to their nearest other source. */
  spacing: z.number(),
})
export type GeneratedAdapter = z.infer<typeof GeneratedAdapter>

type Placed = Pick<GeneratedAdapter, 'nearest' | 'spacing'>

/** Nearer to a source than sources are to one another: no evidence that anything was generated. */
export const isRemembered = ({ nearest, spacing }: Placed): boolean => nearest.distance < spacing
