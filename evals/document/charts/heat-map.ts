/** @file A heat map as a table of tinted cells: the deeper the tint, the larger the share. Every cell has its number. */
import type { HeatMap } from '../../contract/document/charts.ts'
import { draw, link, type Element } from './drawing.ts'

/** Shades that the style sheet knows. */
const SHADES = 10

const shade = (share: number) => `h${Math.round(SHADES * Math.min(1, Math.max(0, share)))}`

export function heatMap({ title, rows, columns, cells }: HeatMap): Element {
  const head = [draw('td'), ...columns.map((column) => draw('th', { scope: 'col' }, column))]
  return draw(
    'table',
    { class: 'heat' },
    draw('caption', {}, title),
    draw('thead', {}, draw('tr', {}, ...head)),
    draw(
      'tbody',
      {},
      ...rows.map((row, r) =>
        draw('tr', {}, draw('th', { scope: 'row' }, row), ...cells[r]!.map(cellOf)),
      ),
    ),
  )
}

const cellOf = (cell: HeatMap['cells'][number][number]): Element =>
  cell
    ? draw('td', { class: shade(cell.share), title: cell.detail }, link(cell.label, cell.replies))
    : draw('td')
