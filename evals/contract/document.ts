/**
 * @file A document as data: sections of sentences, tables and charts. HTML report, Markdown, terminal and window render the same
 * sections, so that a figure is the same string in all four.
 */
import { z } from 'zod'
import { Forest, HeatMap, LineChart, PictureGrid, Replies } from './document/charts.ts'
import { ForestPlot, Tiles } from './document/claims.ts'
import { GateOutcome } from './gate.ts'

/** A sign beside the word, so that an outcome does not rest on colour. */
export const OUTCOME_SIGNS: Readonly<Record<GateOutcome, string>> = {
  PASS: '✓',
  FAIL: '✕',
  INCONCLUSIVE: '?',
  'NOT COMPARABLE': '≠',
}

/** What an outcome says of shipping. */
export const DECISIONS: Readonly<Record<GateOutcome, string>> = {
  PASS: 'Ship',
  FAIL: 'Do not ship',
  INCONCLUSIVE: 'Undecided',
  'NOT COMPARABLE': 'Undecided',
}

/** Plain text, or text with a role. `quoted` is text of a model or a file, of which `more` characters were cut. */
export const Span = z.union([
  z.string(),
  z.object({ strong: z.string() }),
  z.object({ code: z.string() }),
  z.object({ quiet: z.string() }),
  z.object({ quoted: z.string(), more: z.int() }),
])
export type Span = z.infer<typeof Span>

export const Text = z.union([z.string(), z.array(Span)])
export type Text = z.infer<typeof Text>

/** Only the window links to `replies`; the other outputs show the text alone. */
export const Cell = z.union([
  Text,
  z.object({ forest: Forest }),
  z.object({ text: z.string(), replies: Replies }),
])
export type Cell = z.infer<typeof Cell>

/** `number` is set to the right; `quoted` holds texts of a model or a file. */
export const ColumnKind = z.enum(['label', 'number', 'quoted'])
export type ColumnKind = z.infer<typeof ColumnKind>

export const Table = z.object({
  type: z.literal('table'),
  caption: z.string(),
  columns: z.array(z.object({ head: z.string(), kind: ColumnKind })),
  /** A group without a name has no heading. */
  groups: z.array(
    z.object({
      name: z.string(),
      rows: z.array(z.array(Cell)),
      /** Row by row where it stands in `results.json`, such as `comparisons/12`; empty where it is of no single row. */
      ids: z.array(z.string()).optional(),
    }),
  ),
})
export type Table = z.infer<typeof Table>

const LEAVES = [
  /** The outcome of a gate or a verdict, with the rule by which it was decided. */
  z.object({
    type: z.literal('decision'),
    of: z.enum(['gate', 'verdict']),
    outcome: GateOutcome,
    headline: z.string(),
    rule: z.string(),
  }),
  /** Claims with their outcomes: a table where there is room, a sentence each elsewhere. */
  z.object({
    type: z.literal('findings'),
    heads: z.array(z.string()),
    rows: z.array(
      z.object({ outcome: GateOutcome, cells: z.array(z.string()), sentence: z.string() }),
    ),
  }),
  z.object({ type: z.literal('paragraph'), text: Text, isQuiet: z.boolean() }),
  z.object({ type: z.literal('heading'), text: z.string() }),
  z.object({ type: z.literal('list'), items: z.array(Text) }),
  z.object({ type: z.literal('facts'), rows: z.array(z.tuple([z.string(), Text])) }),
  z.object({ type: z.literal('code'), text: z.string() }),
  Table,
  LineChart,
  HeatMap,
  PictureGrid,
  ForestPlot,
  Tiles,
  /** Fields that a person fills in on paper. */
  z.object({ type: z.literal('signature'), fields: z.array(z.string()) }),
] as const
const Leaf = z.discriminatedUnion('type', LEAVES)
export type Leaf = z.infer<typeof Leaf>

/** Blocks that are folded until they are asked for; brief outputs leave them out. */
const Details = z.object({
  type: z.literal('details'),
  summary: z.string(),
  blocks: z.array(Leaf),
  /** Numbers of a drawing before it: on paper the drawing stands alone. */
  isRepeat: z.literal(true).optional(),
})

export const Block = z.discriminatedUnion('type', [...LEAVES, Details])
export type Block = z.infer<typeof Block>

export const Section = z.object({
  heading: z.string().nullable(),
  blocks: z.array(Block),
  /** The page of the report that is signed on which it stands; in the appendix where absent. */
  sheet: z.union([z.literal(1), z.literal(2)]).optional(),
})
export type Section = z.infer<typeof Section>
