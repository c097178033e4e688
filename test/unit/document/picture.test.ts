/** @file A chart as a file of its own: well-formed, with nothing that lies outside it. */
import { expect, test } from 'vitest'
import type { LineChart } from '../../../evals/contract/document/charts.ts'
import { lineChart } from '../../../evals/document/charts/line-chart.ts'
import { svgPicture } from '../../../evals/document/charts/picture.ts'
import { PICTURE_STYLE } from '../../../evals/document/style.ts'
import { fileName } from '../../../renderer/charts/figure-name.ts'

const chartOf = (labels: readonly string[]): LineChart => ({
  type: 'line-chart',
  title: 'Error <along> "width" & more',
  xLabel: 'width',
  format: 'percent',
  reference: { y: 0.5, label: 'chance' },
  series: labels.map((label, n) => ({
    ...{ label, colour: n, dash: n },
    points: [1, 2, 4].map((x) => ({ x, y: 0.1 * n + 0.1 / x, lower: 0, upper: 0.9 })),
  })),
})
const chart = chartOf(['test error', 'training error'])

const svgOf = (shown: LineChart) => svgPicture([shown], PICTURE_STYLE)

test('has no variable, no reference, and its texts as text', () => {
  const svg = svgOf(chart)
  expect(svg).not.toMatch(/var\(|url\(|href|<script|@import/u)
  expect(svg).toContain('Error &lt;along&gt; &quot;width&quot; &amp; more')
  expect(svg).toContain('stroke: #0072b2')
  const opened = svg.match(/<[a-z]+/gu)!.map((tag) => tag.slice(1))
  const closed = svg.match(/<\/[a-z]+/gu)!.map((tag) => tag.slice(2))
  expect(opened.toSorted()).toEqual(closed.toSorted())
})

test('a long legend takes as many rows as it needs, and lies within the picture', () => {
  const labels = Array.from({ length: 12 }, (_, n) => `method ${n} at rank 16, seed ${n}`)
  const placesOf = (svg: string) =>
    [...svg.matchAll(/translate\((\d+) (\d+)\)"><(?:g|line)/gu)].map(([, x, y]) => [
      Number(x),
      Number(y),
    ])
  const few = placesOf(svgOf(chart))
  expect(new Set(few.map(([, y]) => y))).toEqual(new Set([32]))
  const places = placesOf(svgOf(chartOf(labels)))
  expect(places).toHaveLength(labels.length + 1)
  const rows = new Set(places.map(([, y]) => y))
  expect(rows.size).toBeGreaterThan(2)
  for (const [n, label] of labels.entries())
    expect(places[n + 1]![0]! + 36 + 6.5 * label.length).toBeLessThan(800)
  const heightOf = (svg: string) => Number(/height="(\d+)"/u.exec(svg)![1])
  expect(heightOf(svgOf(chartOf(labels))) - heightOf(svgOf(chart))).toBe(20 * (rows.size - 1))
})

test('a marked step leads to replies in the window alone', () => {
  const marks = [{ x: 2, label: 'falls: lora', replies: { run: 'r', step: 2, show: 'pairs' } }]
  expect(JSON.stringify(lineChart({ ...chart, marks }))).toContain('"replies":{"run":"r"')
  expect(svgOf({ ...chart, marks })).toContain('>falls: lora</text>')
  expect(svgOf({ ...chart, marks })).not.toContain('<a')
})

test('a file has the title’s words for a name', () => {
  expect(fileName(chart, 'SVG')).toBe('error-along-width-more.svg')
  expect(fileName({ ...chart, title: '…' }, 'PNG')).toBe('figure.png')
})
