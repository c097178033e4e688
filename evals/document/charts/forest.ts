/** @file Forest plots: harm with its interval against zero and the margin. Harm grows to the right everywhere. */
import { OUTCOME_SIGNS } from '../../contract/document.ts'
import type { Forest } from '../../contract/document/charts.ts'
import type { ForestPlot } from '../../contract/document/claims.ts'
import { draw, link, px, type Drawing, type Element } from './drawing.ts'
import { ticks } from './ticks.ts'

const HEIGHT = 18
const CELL = { width: 150, low: -1, high: 1 }
const PLOT_WIDTH = 240
/** Room for the marks at both ends. */
const EDGE = 6

type Interval = Omit<Forest, 'reach'>
interface Scale {
  readonly width: number
  readonly low: number
  readonly high: number
}

const placer =
  ({ width, low, high }: Scale) =>
  (value: number) =>
    px(EDGE + ((value - low) / (high - low)) * (width - 2 * EDGE))

const line = (
  name: string,
  [x1, y1]: readonly [string, number],
  [x2, y2]: readonly [string, number],
) => draw('line', { class: name, x1, x2, y1, y2 })

function marks({ change, lower, upper, margin }: Interval, scale: Scale): Element[] {
  const x = placer(scale)
  const middle = HEIGHT / 2
  return [
    line('zero', [x(0), 0], [x(0), HEIGHT]),
    line('margin', [x(margin), 0], [x(margin), HEIGHT]),
    line('whisker', [x(lower), middle], [x(upper), middle]),
    draw('circle', { class: 'dot', cx: x(change), cy: middle, r: 3.2 }),
  ]
}

const picture = (width: number, height: number, children: readonly Element[]) =>
  draw(
    'svg',
    { class: 'forest', viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true' },
    ...children,
  )

/** Zero stands in the middle, `reach` at either end. */
export const forestRow = ({ reach, ...interval }: Forest): Element =>
  picture(CELL.width, HEIGHT, marks(interval, { ...CELL, low: -reach, high: reach }))

/** All rows on one scale, whose axis is the last row; the numbers stand beside each bar. */
export function forestPlot({ caption, heads, rows }: ForestPlot): Element {
  const scale = { width: PLOT_WIDTH, ...extent(rows) }
  const head = ['Outcome', ...heads, 'Harm (95 % interval), points', 'Margin', 'Harm →']
  return draw(
    'table',
    { class: 'forest-plot' },
    draw('caption', {}, caption),
    draw('thead', {}, draw('tr', {}, ...head.map((name) => draw('th', { scope: 'col' }, name)))),
    draw(
      'tbody',
      {},
      ...rows.map((row) => bodyRow(row, scale)),
      draw(
        'tr',
        { class: 'axis-row' },
        draw('td', { colspan: head.length - 1 }),
        draw('td', {}, axis(scale)),
      ),
    ),
  )
}

function bodyRow(
  { outcome, cells, harm, margin, forest, replies }: ForestPlot['rows'][number],
  scale: Scale,
) {
  const badge = draw(
    'span',
    { class: `badge ${outcome.replace(' ', '-')}` },
    `${OUTCOME_SIGNS[outcome]} ${outcome}`,
  )
  const texts: Drawing[] = [badge, ...cells, link(harm, replies), margin]
  return draw(
    'tr',
    {},
    ...texts.map((text) => draw('td', {}, text)),
    draw(
      'td',
      { class: 'drawn' },
      forest ? picture(scale.width, HEIGHT, marks(forest, scale)) : '–',
    ),
  )
}

/** Round numbers that hold every interval, every margin and zero. */
function extent(rows: ForestPlot['rows']): { low: number; high: number } {
  const values = rows.flatMap(({ forest }) =>
    forest ? [forest.lower, forest.upper, forest.margin] : [],
  )
  const [low, high] = [Math.min(-0.05, ...values), Math.max(0.05, ...values)]
  const width = high - low
  return { low: low - 0.03 * width, high: high + 0.03 * width }
}

function axis(scale: Scale): Element {
  const x = placer(scale)
  const places = ticks(scale.low, scale.high, 6)
  return picture(scale.width, 26, [
    line('axis', [px(EDGE), 1], [px(scale.width - EDGE), 1]),
    ...places.flatMap((tick) => [
      line('axis', [x(tick), 1], [x(tick), 5]),
      draw('text', { x: x(tick), y: 18, 'text-anchor': 'middle' }, axisPoints(tick)),
    ]),
  ])
}

const axisPoints = (share: number) =>
  `${share < 0 ? '\u2212' : ''}${Number(Math.abs(100 * share).toFixed(1))}`
