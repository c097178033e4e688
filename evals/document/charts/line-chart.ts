/** @file A line chart as inline SVG: a curve a series with its interval as a band, and a dotted reference line. */
import { axisText, type LineChart, type Series } from '../../contract/document/charts.ts'
import { html, type Content, type Markup } from '../markup.ts'

type Scale = LineChart['xScale']

const WIDTH = 800
const HEIGHT = 270
const LEFT = 56
const RIGHT = 14
const TOP = 12
const BOTTOM = 40
const COLOURS = 6
const DASHES = ['none', '7 4', '2 3', '9 3 2 3']

const colourClass = (colour: number) => `c${colour % COLOURS}`
const dashOf = (dash: number) => DASHES[dash % DASHES.length]!

interface Scales {
  readonly x: (value: number) => string
  readonly y: (value: number) => string
  readonly xTicks: readonly number[]
  readonly yTicks: readonly number[]
}

export function lineChart(chart: LineChart): Markup {
  const scales = scalesOf(chart)
  const { x, y, xTicks, yTicks } = scales
  const labels = chart.series.map(({ label }) => label).join(', ')
  return html`<figure>
    <figcaption>${chart.title}</figcaption>
    <svg
      viewBox="0 0 ${WIDTH} ${HEIGHT}"
      role="img"
      aria-label="${chart.title}: ${labels}. The numbers are in the table below."
    >
      ${yTicks.map((tick) => html`<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(tick)}" y2="${y(tick)}" /><text x="${LEFT - 8}" y="${y(tick)}" dy="4" text-anchor="end">${axisText(chart.format, tick)}</text>`)}
      ${xTicks.map((tick) => html`<text x="${x(tick)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${tick}</text>`)}
      <line
        class="axis"
        x1="${LEFT}"
        x2="${WIDTH - RIGHT}"
        y1="${HEIGHT - BOTTOM}"
        y2="${HEIGHT - BOTTOM}"
      />
      <text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 4}" text-anchor="middle">
        ${chart.xLabel}
      </text>
      ${chart.reference && referenceLine(chart.reference, y)}
      ${chart.series.map((series) => band(series, scales))}${chart.series.map((series) => curve(series, scales))}</svg
    >${legend(chart)}
  </figure>`
}

function referenceLine({ y: value }: { y: number }, y: Scales['y']): Markup {
  return html`<line
    class="reference"
    x1="${LEFT}"
    x2="${WIDTH - RIGHT}"
    y1="${y(value)}"
    y2="${y(value)}"
  />`
}

function band({ points, colour }: Series, { x, y }: Scales): Content {
  const known = points.filter(({ lower, upper }) => lower !== undefined && upper !== undefined)
  if (known.length < 2) return null
  const upper = known.map((point) => `${x(point.x)},${y(point.upper!)}`)
  const lower = known.map((point) => `${x(point.x)},${y(point.lower!)}`).reverse()
  return html`<polygon
    class="band ${colourClass(colour)}"
    points="${[...upper, ...lower].join(' ')}"
  />`
}

function curve(
  { points, dots = [], isPlain, colour, dash, label }: Series,
  { x, y }: Scales,
): Markup {
  const path = points.map((point) => `${x(point.x)},${y(point.y)}`).join(' ')
  return html`<g class="${colourClass(colour)}"
    ><polyline
      class="curve"
      stroke-dasharray="${dashOf(dash)}"
      points="${path}"
    />${!isPlain && points.map((point) => marker(colour, x(point.x), y(point.y), label))}${dots.map((dot) => html`<circle class="seed-dot" r="1.8" cx="${x(dot.x)}" cy="${y(dot.y)}" />`)}</g
  > `
}

/** Arms differ by shape as well as by colour. */
function marker(colour: number, x: string, y: string, label: string): Markup {
  const at = html`transform="translate(${x} ${y})" stroke="none"`
  const title = html`<title>${label}</title>`
  const shapes = [
    html`<circle r="3.2" ${at}>${title}</circle>`,
    html`<path d="M-3.4 -3.4h6.8v6.8h-6.8z" ${at}>${title}</path>`,
    html`<path d="M0 -4.4L4.2 3.2H-4.2z" ${at}>${title}</path>`,
    html`<path d="M0 -4.6L4.6 0L0 4.6L-4.6 0z" ${at}>${title}</path>`,
  ]
  return shapes[colour % shapes.length]!
}

function legend({ series, reference }: LineChart): Markup {
  const entry = (sign: Markup, label: string) =>
    html`<li><svg viewBox="0 0 30 10" aria-hidden="true">${sign}</svg>${label}</li>`
  const entries = series.map(({ label, colour, dash }) => {
    const line = html`<line
      class="curve"
      x1="0"
      x2="30"
      y1="5"
      y2="5"
      stroke-dasharray="${dashOf(dash)}"
    />`
    return entry(
      html`<g class="${colourClass(colour)}">${line}${marker(colour, '15', '5', label)}</g>`,
      label,
    )
  })
  const dotted = html`<line class="reference" x1="0" x2="30" y1="5" y2="5" />`
  return html`<ul class="legend">
    ${reference && entry(dotted, reference.label)}${entries}
  </ul>`
}

function scalesOf({ series, range, reference, xScale, yScale }: LineChart): Scales {
  const points = series.flatMap((one) => one.points)
  const dots = series.flatMap((one) => one.dots ?? [])
  const xs = [...points, ...dots].map((point) => point.x)
  const ys = [
    ...points.flatMap(({ y, lower, upper }) => [y, lower ?? y, upper ?? y]),
    ...dots.map(({ y }) => y),
    ...(reference ? [reference.y] : []),
  ]
  const [x0, x1] = widened(...extent(xs), xScale)
  const [low, high] = range ?? widened(...extent(ys), yScale)
  const yTicks = yScale === 'log' ? logTicks(low, high) : ticks(low, high, 5)
  const [y0, y1] = range ?? [Math.min(yTicks[0] ?? low, low), Math.max(yTicks.at(-1) ?? high, high)]
  const steps = [...new Set(xs)].sort((a, b) => a - b)
  const x = placer(LEFT + 8, WIDTH - RIGHT - 8, [x0, x1], xScale)
  return {
    x,
    y: placer(HEIGHT - BOTTOM, TOP, [y0, y1], yScale),
    xTicks: apart(steps.length <= 12 ? steps : ticks(x0, x1, 8), x),
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

/** 1, 2 and 5 times powers of ten, or the powers alone over more than two decades. */
function logTicks(low: number, high: number): number[] {
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))]
  const factors = last - first > 3 ? [1] : [1, 2, 5]
  return Array.from({ length: last - first + 1 }, (_, i) => first + i)
    .flatMap((power) => factors.map((factor) => Number((factor * 10 ** power).toPrecision(12))))
    .filter((tick) => tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9))
}

/** A range of no width, or of a width that is rounding, has no scale: it gets one that its values can carry. */
function widened(low: number, high: number, scale: Scale): [number, number] {
  if (scale === 'log') return high / low < 1.01 ? [low / 1.5, high * 1.5] : [low, high]
  const least = 1e-9 * Math.max(1, Math.abs(low), Math.abs(high))
  const more = high - low < least ? Math.max(0.5, least) : 0
  return [low - more, high + more]
}

/** Round numbers within [low, high], about `count` of them: steps of 1, 2 or 5 times a power of ten. */
export function ticks(low: number, high: number, count: number): number[] {
  const rough = (high - low) / count
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999)! * power
  const first = Math.ceil(low / step - 1e-9)
  const last = Math.floor(high / step + 1e-9)
  return Array.from({ length: last - first + 1 }, (_, n) =>
    Number(((first + n) * step).toPrecision(12)),
  )
}
