/** @file Builders of blocks: a table is columns over rows, every other block is one call. */
import type {
  Block,
  Cell,
  ColumnKind,
  Leaf,
  Section,
  Span,
  Table,
  Text,
} from '../contract/document.ts'
import { pointerOf } from './pointers.ts'

export interface Column<R> {
  readonly head: string
  readonly kind: ColumnKind
  readonly cell: (row: R) => Cell | number | null | undefined
}

const columnOf =
  (kind: ColumnKind) =>
  <R>(head: string, cell: Column<R>['cell']): Column<R> => ({ head, kind, cell })

export const label = columnOf('label')
export const number = columnOf('number')
export const quoted = columnOf('quoted')

export function table<R>(rows: readonly R[], columns: readonly Column<R>[], caption = ''): Table {
  return { ...groupedTable(rows, () => '', columns), caption }
}

/** Rows under headings; `rows` must come group by group. */
export function groupedTable<R>(
  rows: readonly R[],
  groupOf: (row: R) => string,
  columns: readonly Column<R>[],
): Table {
  return {
    type: 'table',
    caption: '',
    columns: columns.map(({ head, kind }) => ({ head, kind })),
    groups: [...Map.groupBy(rows, groupOf)].map(([name, members]) => {
      const ids = members.map((row) => pointerOf(row) ?? '')
      return {
        name,
        rows: members.map((row) => columns.map(({ cell }) => cellOf(cell(row)))),
        ...(ids.some((id) => id !== '') && { ids }),
      }
    }),
  }
}

function cellOf(content: Cell | number | null | undefined): Cell {
  if (content === null || content === undefined) return ''
  return typeof content === 'number' ? String(content) : content
}

export const paragraph = (text: Text): Leaf => ({ type: 'paragraph', text, isQuiet: false })
export const quietParagraph = (text: Text): Leaf => ({ type: 'paragraph', text, isQuiet: true })
export const subheading = (text: string): Leaf => ({ type: 'heading', text })
export const list = (items: readonly Text[]): Leaf => ({ type: 'list', items: [...items] })
export const details = (summary: string, ...blocks: Leaf[]): Block => ({
  type: 'details',
  summary,
  blocks,
})

/** The numbers of a drawing that stands before them, as a table. */
export const asNumbers = (...blocks: Leaf[]): Block => ({
  ...{ type: 'details', summary: 'The same as numbers', blocks, isRepeat: true },
})

/** A section, or none where it has no blocks. */
export function section(
  heading: string | null,
  ...blocks: readonly (Block | readonly Block[] | false)[]
): Section[] {
  const shown = blocks.flat().filter((block) => block !== false)
  return shown.length === 0 ? [] : [{ heading, blocks: shown }]
}

/** A list under its heading, or none where the list is empty. */
export const listed = (heading: string, items: readonly Text[]): Section[] =>
  section(heading, items.length > 0 && list(items))

/** Longest quotation; `results.json` has the rest. */
const LONGEST_QUOTE = 1200

export const quote = (text: string): Span => ({
  quoted: text.slice(0, LONGEST_QUOTE),
  more: Math.max(0, text.length - LONGEST_QUOTE),
})
