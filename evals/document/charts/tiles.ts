/** @file One tile for each variant and benchmark: the outcome, the rate before and after, and what it is held against. */
import { OUTCOME_SIGNS } from '../../contract/document.ts'
import type { Tiles } from '../../contract/document/claims.ts'
import { draw, link, type Element } from './drawing.ts'

export const tiles = ({ columns, rows }: Tiles): Element =>
  draw(
    'table',
    { class: 'tiles' },
    draw(
      'thead',
      {},
      draw('tr', {}, draw('td'), ...columns.map((name) => draw('th', { scope: 'col' }, name))),
    ),
    draw(
      'tbody',
      {},
      ...rows.map(({ name, tiles: all }) =>
        draw('tr', {}, draw('th', { scope: 'row' }, name), ...all.map(tileOf)),
      ),
    ),
  )

function tileOf(tile: Tiles['rows'][number]['tiles'][number]): Element {
  if (!tile) return draw('td')
  const { outcome, rate, lines, replies } = tile
  const tone = outcome.replace(' ', '-')
  return draw(
    'td',
    { class: `tile ${tone}` },
    draw('span', { class: `badge ${tone}` }, `${OUTCOME_SIGNS[outcome]} ${outcome}`),
    draw('strong', {}, link(rate, replies)),
    ...lines.map((text) => draw('span', { class: 'line' }, text)),
  )
}
