/** @file Blocks as strings, for the outputs without markup of their own: what a cell says, and a heat map as a table. */
import type { Cell, Span, Table, Text } from '../contract/document.ts'
import type { HeatMap, PictureGrid } from '../contract/document/charts.ts'
import { factsOf } from '../contract/document/picture-facts.ts'
import type { ForestPlot, Tiles } from '../contract/document/claims.ts'
import { wholeNumber } from '../contract/words.ts'

function spanText(span: Span): string {
  if (typeof span === 'string') return span
  if ('strong' in span) return span.strong
  if ('code' in span) return span.code
  if ('quiet' in span) return span.quiet
  return `${span.quoted}${moreText(span.more)}`
}

/** The note behind a quotation that was cut by `more` characters. */
export const moreText = (more: number): string =>
  more === 0 ? '' : ` … ${wholeNumber(more)} more characters are in results.json`

export const textOf = (text: Text): string =>
  typeof text === 'string' ? text : text.map(spanText).join('')

/** A drawn cell has no text: its numbers stand in the cells beside it. */
export function cellText(cell: Cell): string {
  if (typeof cell === 'string' || Array.isArray(cell)) return textOf(cell)
  return 'text' in cell ? cell.text : ''
}

/** Blocks that are drawn where there is room, as tables: what is drawn has its numbers beside it. */
export function tableOf(block: Table | HeatMap | ForestPlot | Tiles | PictureGrid): Table {
  switch (block.type) {
    case 'table':
      return block
    case 'heat-map':
      return heatTable(block)
    case 'forest-plot':
      return claimsTable(block)
    case 'tiles':
      return tilesTable(block)
    case 'picture-grid':
      return factsOf(block)
  }
}

const heatTable = ({ title, rows, columns, cells }: HeatMap): Table => ({
  type: 'table',
  caption: title,
  columns: [
    { head: '', kind: 'label' },
    ...columns.map((head) => ({ head, kind: 'number' as const })),
  ],
  groups: [
    { name: '', rows: rows.map((row, r) => [row, ...cells[r]!.map((cell) => cell?.label ?? '')]) },
  ],
})

const claimsTable = ({ caption, heads, rows }: ForestPlot): Table => ({
  type: 'table',
  caption,
  columns: ['Outcome', ...heads, 'Harm (95 % interval), points', 'Margin'].map((head) => ({
    head,
    kind: 'label',
  })),
  groups: [
    {
      name: '',
      rows: rows.map(({ outcome, cells, harm, margin }) => [outcome, ...cells, harm, margin]),
    },
  ],
})

const tilesTable = ({ columns, rows }: Tiles): Table => ({
  type: 'table',
  caption: '',
  columns: ['', ...columns].map((head) => ({ head, kind: 'label' })),
  groups: [
    {
      name: '',
      rows: rows.map(({ name, tiles }) => [
        name,
        ...tiles.map((tile) => (tile ? [tile.outcome, tile.rate, ...tile.lines].join('; ') : '')),
      ]),
    },
  ],
})

/** "Name: ________" */
export const fieldLine = (field: string): string => `${field}: ${'_'.repeat(24)}`
