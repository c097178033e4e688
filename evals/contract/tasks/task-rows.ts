/** @file What a task is and what it measured, as the content of artifacts. */
import { z } from 'zod'
import { HeatMap, LineChart, PictureGrid } from '../document/charts.ts'

/** What a benchmark of a task measures: what is learnt, what was known before, or what is known under a shift. */
export const TaskPart = z.enum(['gain', 'retention', 'shift'])
export type TaskPart = z.infer<typeof TaskPart>

/** The categories of one benchmark laid out on a grid, as a map is: category → row and column. */
export const TaskPicture = z.object({
  part: TaskPart,
  title: z.string(),
  rows: z.array(z.string()),
  columns: z.array(z.string()),
  cells: z.record(z.string(), z.tuple([z.int(), z.int()])),
})
export type TaskPicture = z.infer<typeof TaskPicture>

/** A model that is no language model, and what of it is measured. */
export const TaskContent = z.object({
  kind: z.literal('task'),
  name: z.string(),
  title: z.string(),
  paper: z.string(),
  about: z.string(),
  base: z.string(),
  data: z.object({ source: z.string(), licence: z.string() }),
  parts: z.array(z.object({ part: TaskPart, benchmark: z.string() })),
  picture: TaskPicture.optional(),
  /** What the training of each arm holds without activations, bytes: the network, and what each trained number needs. */
  sizes: z.array(z.object({ arm: z.string(), trained: z.int(), bytes: z.int() })).optional(),
})
export type TaskContent = z.infer<typeof TaskContent>

/** Null where there is no such value. */
const Interval = {
  value: z.number().nullable(),
  lower: z.number().nullable(),
  upper: z.number().nullable(),
}

/**
 * A number of a task beside its rates, of one state: with its bootstrap interval over `n` units (sites, scenes), and its change
 * from the base on the same units.
 */
export const TaskMeasured = z.object({
  kind: z.literal('task-measure'),
  /** The state. */
  arm: z.string(),
  seed: z.int(),
  step: z.int(),
  name: z.string(),
  title: z.string(),
  unit: z.string(),
  /** Null where neither is good by itself. */
  better: z.enum(['higher', 'lower']).nullable(),
  n: z.int(),
  ...Interval,
  change: z.object(Interval).nullable(),
  /** What the state makes of some rows: samples, clouds of points. */
  pictures: z.array(z.discriminatedUnion('type', [LineChart, HeatMap, PictureGrid])).optional(),
})
export type TaskMeasured = z.infer<typeof TaskMeasured>
