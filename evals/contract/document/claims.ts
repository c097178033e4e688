/** @file Claims as data that is drawn: on one scale with their intervals, and as tiles. */
import { z } from 'zod'
import { GateOutcome } from '../gate.ts'
import { Forest, Replies } from './charts.ts'

/** Claims with their harm as text, and drawn on one scale; null where nothing was measured. */
export const ForestPlot = z.object({
  type: z.literal('forest-plot'),
  caption: z.string(),
  heads: z.array(z.string()),
  rows: z.array(
    z.object({
      outcome: GateOutcome,
      cells: z.array(z.string()),
      harm: z.string(),
      margin: z.string(),
      forest: Forest.omit({ reach: true }).nullable(),
      replies: Replies.optional(),
    }),
  ),
})
export type ForestPlot = z.infer<typeof ForestPlot>

/** Variants × benchmarks: the rate before and after in large, and under it what it is held against; null where not measured. */
export const Tiles = z.object({
  type: z.literal('tiles'),
  columns: z.array(z.string()),
  rows: z.array(
    z.object({
      name: z.string(),
      tiles: z.array(
        z
          .object({
            outcome: GateOutcome,
            rate: z.string(),
            lines: z.array(z.string()),
            replies: Replies.optional(),
          })
          .nullable(),
      ),
    }),
  ),
})
export type Tiles = z.infer<typeof Tiles>
