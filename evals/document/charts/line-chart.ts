/** @file A line chart as SVG: a curve a series with its interval as a band, a dotted reference line, and steps that matter as upright lines. */
import { axisText, type LineChart, type Series } from '../../contract/document/charts.ts'
import { draw, px, type Element } from './drawing.ts'
import { logTicks, ticks } from './ticks.ts'

type Mark = NonNullable<LineChart['marks']>[number]
type Scale = LineChart['xScale']

const WIDTH = 800
const HEIGHT = 270
export const PICTURE = { width: WIDTH, height: HEIGHT }
const LEFT = 56
const RIGHT = 14
const TOP = 12
const BOTTOM = 40
const COLOURS = 6
const DASHES = ['none', '7 4', '2 3', '9 3 2 3']

const colourClass = ({ colour, isNull }: Pick<Series, 'colour' | 'isNull'>) =>
  isNull ? 'null' : `c${colour % COLOURS}`
const dashOf = (dash: number) => DASHES[dash % DASHES.length]!

interface Scales {
  readonly width: number
  readonly x: (value: number) => string
  readonly y: (value: number) => string
  readonly xTicks: readonly number[]
  readonly yTicks: readonly number[]
}

/** `width` in pixels; a window gives the room it has, so that letters keep their size. */
export function lineChart(chart: LineChart, width = WIDTH): Element {
  const scales = scalesOf(chart, width)
  const labels = chart.series.map(({ label }) => label).join(', ')
  const picture = draw(
    'svg',
    {
      viewBox: `0 0 ${width} ${HEIGHT}`,
      role: 'img',
      'aria-label': `${chart.title}: ${labels}. The numbers are in the table below.`,
    },
    ...axes(chart, scales),
    ...(chart.reference ? [referenceLine(chart.reference, scales)] : []),
    ...chart.series.flatMap((series) => band(series, scales)),
    ...chart.series.map((series) => curve(series, scales)),
    ...(chart.marks ?? []).flatMap((mark, n) => markLine(mark, n, scales)),
  )
  return draw('figure', {}, draw('figcaption', {}, chart.title), picture, legend(chart))
}

function axes({ format, xLabel, floor }: LineChart, scales: Scales): Element[] {
  const { width, x, y, xTicks, yTicks } = scales
  const [left, right, bottom] = [LEFT, width - RIGHT, HEIGHT - BOTTOM]
  return [
    ...yTicks.flatMap((tick) => [
      draw('line', { class: 'grid', x1: left, x2: right, y1: y(tick), y2: y(tick) }),
      text(
        { x: LEFT - 8, y: y(tick), dy: 4, 'text-anchor': 'end' },
        `${tick === floor ? '≤ ' : ''}${axisText(format, tick)}`,
      ),
    ]),
    ...xTicks.map((tick) => text({ x: x(tick), y: bottom + 18 }, String(tick))),
    draw('line', { class: 'axis', x1: left, x2: right, y1: bottom, y2: bottom }),
    text({ x: (left + right) / 2, y: HEIGHT - 4 }, xLabel),
  ]
}

const text = (attributes: Readonly<Record<string, string | number>>, said: string): Element =>
  draw('text', { 'text-anchor': 'middle', ...attributes }, said)

const referenceLine = ({ y: value }: { y: number }, { width, y }: Scales): Element =>
  draw('line', { class: 'reference', x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) })

/** A step that matters, as an upright line with its name; names stand below each other. */
function markLine(mark: Mark, place: number, { width, x }: Scales): Element[] {
  const { x: step, label, replies } = mark
  const isLate = Number(x(step)) > width / 2
  const [at, anchor] = isLate ? [-5, 'end'] : [5, 'start']
  const name = text(
    {
      class: 'mark-label',
      x: px(Number(x(step)) + at),
      y: TOP + 12 + 16 * place,
      'text-anchor': anchor,
    },
    label,
  )
  return [
    draw('line', { class: 'mark', x1: x(step), x2: x(step), y1: TOP, y2: HEIGHT - BOTTOM }),
    replies ? { tag: 'a', attributes: {}, children: [name], replies } : name,
  ]
}

function band(series: Series, { x, y }: Scales): Element[] {
  const { points } = series
  const known = points.filter(({ lower, upper }) => lower !== undefined && upper !== undefined)
  if (known.length < 2) return []
  const upper = known.map((point) => `${x(point.x)},${y(point.upper!)}`)
  const lower = known.map((point) => `${x(point.x)},${y(point.lower!)}`).reverse()
  const attributes = {
    class: `band ${colourClass(series)}`,
    points: [...upper, ...lower].join(' '),
  }
  return [draw('polygon', attributes)]
}

function curve(series: Series, { x, y }: Scales): Element {
  const { points, dots = [], isPlain, colour, dash, label } = series
  const path = points.map((point) => `${x(point.x)},${y(point.y)}`).join(' ')
  const line = { class: 'curve', 'stroke-dasharray': dashOf(dash), points: path }
  return draw(
    'g',
    { class: colourClass(series) },
    draw('polyline', line),
    ...(isPlain ? [] : points.map((point) => marker(colour, x(point.x), y(point.y), label))),
    ...dots.map((dot) => draw('circle', { class: 'seed-dot', r: 1.8, cx: x(dot.x), cy: y(dot.y) })),
  )
}

/** Arms differ by shape as well as by colour. */
function marker(colour: number, x: string, y: string, label: string): Element {
  const at = { transform: `translate(${x} ${y})`, stroke: 'none' }
  const title = draw('title', {}, label)
  const paths = ['M-3.4 -3.4h6.8v6.8h-6.8z', 'M0 -4.4L4.2 3.2H-4.2z', 'M0 -4.6L4.6 0L0 4.6L-4.6 0z']
  const d = paths[(colour % (paths.length + 1)) - 1]
  return d === undefined
    ? draw('circle', { r: 3.2, ...at }, title)
    : draw('path', { d, ...at }, title)
}

function legend(chart: LineChart): Element {
  const entries = legendSigns(chart).map(({ sign, label }) =>
    draw('li', {}, draw('svg', { viewBox: '0 0 30 10', 'aria-hidden': 'true' }, sign), label),
  )
  return draw('ul', { class: 'legend' }, ...entries)
}

/** What each line of the picture is, with a sign of it in a box of 30 × 10. */
export function legendSigns({ series, reference }: LineChart): { sign: Element; label: string }[] {
  const across = { x1: 0, x2: 30, y1: 5, y2: 5 }
  const signs = series.map((each) => {
    const { label, colour, dash, isNull } = each
    const line = draw('line', { class: 'curve', ...across, 'stroke-dasharray': dashOf(dash) })
    const marked = isNull ? [] : [marker(colour, '15', '5', label)]
    return { sign: draw('g', { class: colourClass(each) }, line, ...marked), label }
  })
  if (!reference) return signs
  return [
    { sign: draw('line', { class: 'reference', ...across }), label: reference.label },
    ...signs,
  ]
}

/** Where each x of a curve lies in a picture of this width, in pixels. */
export function placesOf(chart: LineChart, width: number): { x: number; at: number }[] {
  const { x: placed } = scalesOf(chart, width)
  const all = new Set(chart.series.flatMap(({ points }) => points.map(({ x }) => x)))
  return [...all].map((x) => ({ x, at: Number(placed(x)) }))
}

function scalesOf(chart: LineChart, width: number): Scales {
  const { series, range, reference, xScale, yScale, floor = -Infinity } = chart
  const points = series.flatMap((one) => one.points)
  const dots = series.flatMap((one) => one.dots ?? [])
  const xs = [...points, ...dots].map((point) => point.x)
  const ys = [
    ...points.flatMap(({ y, lower, upper }) => [y, lower ?? y, upper ?? y]),
    ...dots.map(({ y }) => y),
    ...(reference ? [reference.y] : []),
  ]
  const [x0, x1] = widened(...extent(xs), xScale)
  const [low, high] = range ?? widened(...extent(ys.map((value) => Math.max(value, floor))), yScale)
  const yTicks = yScale === 'log' ? logTicks(low, high) : ticks(low, high, 5)
  const [y0, y1] = range ?? [Math.min(yTicks[0] ?? low, low), Math.max(yTicks.at(-1) ?? high, high)]
  const steps = [...new Set(xs)].sort((a, b) => a - b)
  const x = placer(LEFT + 8, width - RIGHT - 8, [x0, x1], xScale)
  const up = placer(HEIGHT - BOTTOM, TOP, [y0, y1], yScale)
  return {
    width,
    x,
    y: (value) => up(Math.max(value, floor)),
    xTicks: apart(
      steps.length <= 12 ? steps : xScale === 'log' ? logTicks(x0, x1) : ticks(x0, x1, 8),
      x,
    ),
    yTicks,
  }
}

/** Without spreading: a sweep may hold more points than a call takes arguments. */
const extent = (values: readonly number[]): [number, number] => [
  values.reduce((least, value) => Math.min(least, value), Infinity),
  values.reduce((most, value) => Math.max(most, value), -Infinity),
]

function placer(from: number, to: number, [low, high]: readonly [number, number], scale: Scale) {
  const along = scale === 'log' ? Math.log10 : (value: number) => value
  const width = along(high) - along(low)
  return (value: number) => (from + ((along(value) - along(low)) / width) * (to - from)).toFixed(1)
}

/** Labels need this much room. */
const TICK_ROOM = 30

function apart(places: readonly number[], x: Scales['x']): number[] {
  const kept: number[] = []
  for (const place of places) {
    if (kept.length === 0 || Number(x(place)) - Number(x(kept.at(-1)!)) >= TICK_ROOM)
      kept.push(place)
  }
  return kept
}

/** A range of no width, or of a width that is rounding, has no scale: it gets one that its values can carry. */
function widened(low: number, high: number, scale: Scale): [number, number] {
  if (scale === 'log') return high / low < 1.01 ? [low / 1.5, high * 1.5] : [low, high]
  const least = 1e-9 * Math.max(1, Math.abs(low), Math.abs(high))
  const more = high - low < least ? Math.max(0.5, least) : 0
  return [low - more, high + more]
}
