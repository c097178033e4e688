/** @file Charts: round ticks, coordinates inside the picture, shapes for those who see no colours. */
import { expect, test } from 'vitest'
import { forestRow } from '../../../evals/document/charts/forest.ts'
import { heatMap } from '../../../evals/document/charts/heat-map.ts'
import { lineChart, ticks } from '../../../evals/document/charts/line-chart.ts'
import { toHtml } from '../../../evals/document/markup.ts'
import { fc } from '../../doubles/properties.ts'

test.each([
  [0, 1, 5, [0, 0.2, 0.4, 0.6, 0.8, 1]],
  [0, 100, 5, [0, 20, 40, 60, 80, 100]],
  [1.52, 1.58, 5, [1.52, 1.54, 1.56, 1.58]],
  [-3, 3, 6, [-3, -2, -1, 0, 1, 2, 3]],
])('ticks of [%f, %f]', (low, high, count, expected) => {
  expect(ticks(low, high, count)).toEqual(expected)
})

const finite = fc.double({ min: -1e6, max: 1e6, noNaN: true })

test('any curve lies inside the picture', () => {
  const anyPoints = fc.array(fc.record({ x: fc.nat(5000), y: finite }), { minLength: 1 })
  fc.assert(
    fc.property(anyPoints, (points) => {
      const chart = lineChart({
        type: 'line-chart',
        title: 'Any',
        xLabel: 'step',
        series: [{ label: 'a', colour: 0, dash: 0, points }],
        format: 'significant',
      })
      const drawn = /<polyline[^>]* points="([^"]*)"/.exec(toHtml(chart))![1]!
      const coordinates = drawn.split(' ').map((pair) => pair.split(',').map(Number))
      expect(coordinates).toHaveLength(points.length)
      for (const [x, y] of coordinates) {
        expect(x).toBeGreaterThanOrEqual(0)
        expect(x).toBeLessThanOrEqual(800)
        expect(y).toBeGreaterThanOrEqual(0)
        expect(y).toBeLessThanOrEqual(270)
      }
    }),
    // Values that differ by less than can be drawn.
    {
      examples: [
        [
          [
            { x: 0, y: 0 },
            { x: 0, y: -5e-324 },
          ],
        ],
      ],
    },
  )
})

test('a higher value is drawn higher, and arms differ in shape', () => {
  const point = (y: number) => [{ x: 0, y }]
  const drawn = toHtml(
    lineChart({
      type: 'line-chart',
      title: 'Two',
      xLabel: 'step',
      series: [
        { label: 'low', colour: 0, dash: 0, points: point(0.2) },
        { label: 'high', colour: 1, dash: 0, points: point(0.8) },
      ],
      range: [0, 1],
      format: 'significant',
    }),
  )
  const heights = [...drawn.matchAll(/<polyline[^>]* points="[\d.]+,([\d.]+)"/g)].map(([, y]) =>
    Number(y),
  )
  expect(heights[1]!).toBeLessThan(heights[0]!)
  expect(drawn).toContain('<circle')
  expect(drawn).toContain('<path')
})

test('a forest row keeps order and sign', () => {
  const drawn = toHtml(
    forestRow({ change: -0.5, lower: -0.6, upper: -0.4, margin: -0.05, reach: 1 }),
  )
  const at = (pattern: RegExp) => Number(pattern.exec(drawn)![1])
  const [low, high] = [at(/whisker"\s+x1="([\d.]+)"/), at(/whisker"[^>]*x2="([\d.]+)"/)]
  const dot = at(/cx="([\d.]+)"/)
  expect(low).toBeLessThan(dot)
  expect(dot).toBeLessThan(high)
  expect(high).toBeLessThan(75)
})

test('a heat map leaves out the cells that do not exist', () => {
  const drawn = toHtml(
    heatMap({
      type: 'heat-map',
      title: 'Intruders',
      rows: ['layer 0', 'layer 1'],
      columns: ['q_proj', 'up_proj'],
      cells: [0, 1].map((r) =>
        [0, 1].map((c) => (r === c ? { label: `${r}${c}`, share: r, detail: 'd' } : null)),
      ),
    }),
  )
  expect([...drawn.matchAll(/<rect/g)]).toHaveLength(2)
  expect(drawn).toMatch(/var\(--heat\), 0\.06/)
  expect(drawn).toMatch(/var\(--heat\), 0\.80/)
})
