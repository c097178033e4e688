/** @file Charts as data: curves with their intervals, harm against a margin, grids of tinted cells, and small pictures with boxes. */
import { z } from 'zod'

/** The query of the window's pair browser. */
export const Replies = z.record(z.string(), z.union([z.string(), z.number()]))
export type Replies = z.infer<typeof Replies>

/** Harm with its interval, as shares of prompts, on a scale from −reach to +reach; `margin` is how much is tolerated. */
export const Forest = z.object({
  change: z.number(),
  lower: z.number(),
  upper: z.number(),
  margin: z.number(),
  reach: z.number(),
})
export type Forest = z.infer<typeof Forest>

/** How the values of an axis are written: 50 %, 0.50, or four significant digits. */
const AxisFormat = z.enum(['percent', 'hundredths', 'significant'])
type AxisFormat = z.infer<typeof AxisFormat>

export function axisText(format: AxisFormat, value: number): string {
  if (format === 'percent') return `${Math.round(100 * value)} %`
  return format === 'hundredths' ? value.toFixed(2) : String(Number(value.toPrecision(4)))
}

const Point = z.object({
  x: z.number(),
  y: z.number(),
  lower: z.number().optional(),
  upper: z.number().optional(),
})
export type Point = z.infer<typeof Point>

/** A curve with its interval as a band. Curves of one arm share a colour, curves of one seed a dash pattern. */
export const Series = z.object({
  label: z.string(),
  colour: z.int(),
  dash: z.int(),
  points: z.array(Point),
  /** The values that the curve summarises, one for each seed. */
  dots: z.array(z.object({ x: z.number(), y: z.number() })).optional(),
  /** Without a marker at each point. */
  isPlain: z.boolean().optional(),
  /** What would be if there were nothing to find; drawn in grey. */
  isNull: z.boolean().optional(),
})
export type Series = z.infer<typeof Series>

const Scale = z.enum(['linear', 'log'])

/** Positive values further apart than this are drawn on a logarithmic scale. */
const WIDE = 30
const FEWEST_FOR_LOG = 1e-12

/** The scale of an axis that has these values: a loss that explodes would flatten all others. */
function scaleFor(values: Iterable<number>): z.infer<typeof Scale> {
  let [low, high] = [Infinity, -Infinity]
  for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)]
  return low > FEWEST_FOR_LOG && high / low > WIDE ? 'log' : 'linear'
}

/** Of the highest value, what is drawn as nothing: an error that is zero but for rounding would hide every other. */
const NOTHING = 1e-6

/** As `scaleFor`, of values of which some are nothing: a training error beside a test error that explodes. */
export function scaleAbove(values: readonly number[]): Pick<LineChart, 'yScale' | 'floor'> {
  const highest = values.reduce((most, value) => Math.max(most, value), 0)
  const seen = values.filter((value) => value > NOTHING * highest)
  const yScale = values.some((value) => value < 0) ? 'linear' : scaleFor(seen)
  if (yScale === 'linear' || seen.length === values.length) return { yScale }
  const lowest = seen.reduce((least, value) => Math.min(least, value), Infinity)
  return { yScale, floor: 10 ** Math.floor(Math.log10(lowest)) }
}

export const LineChart = z.object({
  type: z.literal('line-chart'),
  title: z.string(),
  xLabel: z.string(),
  series: z.array(Series),
  reference: z.object({ y: z.number(), label: z.string() }).optional(),
  /** Places on the x axis that matter, by name. */
  marks: z
    .array(z.object({ x: z.number(), label: z.string(), replies: Replies.optional() }))
    .optional(),
  /** Lowest and highest y; taken from the data where absent. */
  range: z.tuple([z.number(), z.number()]).optional(),
  xScale: Scale.optional(),
  yScale: Scale.optional(),
  /** Lower values are drawn here, and the axis says so. */
  floor: z.number().optional(),
  format: AxisFormat,
})
export type LineChart = z.infer<typeof LineChart>

/** A grid of labelled cells; `share` in [0, 1] is the tint, null is no cell. */
export const HeatMap = z.object({
  type: z.literal('heat-map'),
  title: z.string(),
  rows: z.array(z.string()),
  columns: z.array(z.string()),
  cells: z.array(
    z.array(
      z
        .object({
          label: z.string(),
          share: z.number(),
          detail: z.string(),
          replies: Replies.optional(),
        })
        .nullable(),
    ),
  ),
})
export type HeatMap = z.infer<typeof HeatMap>

/** x0, y0, x1, y1 in pixels, y downwards. */
const Box = z.tuple([z.number(), z.number(), z.number(), z.number()])

/** Small pictures, each with what is known of it, one fact under each head. */
export const PictureGrid = z.object({
  type: z.literal('picture-grid'),
  title: z.string(),
  heads: z.array(z.string()),
  pictures: z.array(
    z.object({
      facts: z.array(z.string()),
      /** Pixels of a row; `shades` is a hexadecimal digit a pixel, row by row, `f` the darkest. */
      width: z.int().positive(),
      shades: z.string().regex(/^[0-9a-f]*$/u),
      boxes: z.array(z.object({ box: Box, label: z.string() })).optional(),
    }),
  ),
})
export type PictureGrid = z.infer<typeof PictureGrid>
export type Picture = PictureGrid['pictures'][number]

export const heightOf = ({ width, shades }: Picture): number => Math.ceil(shades.length / width)

const DARKEST = 15

/** The pixels of each shade as an SVG path, with its opacity; blank ones are left out. */
export function inkOf({
  width,
  shades,
}: Picture): { readonly opacity: string; readonly d: string }[] {
  const paths = new Map<string, string>()
  for (const [i, shade] of [...shades].entries())
    paths.set(shade, `${paths.get(shade) ?? ''}M${i % width} ${Math.floor(i / width)}h1v1h-1z`)
  paths.delete('0')
  return [...paths].map(([shade, d]) => ({
    opacity: (Number.parseInt(shade, 16) / DARKEST).toFixed(2),
    d,
  }))
}
