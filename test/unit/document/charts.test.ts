/** @file Charts: round ticks, coordinates inside the picture, shapes for those who see no colours. */
import { expect, test } from 'vitest'
import type { Block } from '../../../evals/contract/document.ts'
import { table, label } from '../../../evals/document/blocks.ts'
import { ticks } from '../../../evals/document/charts/ticks.ts'
import { sectionsMarkup } from '../../../evals/document/html.ts'
import { toHtml } from '../../../evals/document/markup.ts'
import { fc } from '../../doubles/properties.ts'

const drawn = (block: Block) => toHtml(sectionsMarkup([{ heading: null, blocks: [block] }]))

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
      const chart = drawn({
        type: 'line-chart',
        title: 'Any',
        xLabel: 'step',
        series: [{ label: 'a', colour: 0, dash: 0, points }],
        format: 'significant',
      })
      const curve = /<polyline[^>]* points="([^"]*)"/.exec(chart)![1]!
      const coordinates = curve.split(' ').map((pair) => pair.split(',').map(Number))
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
  const two = drawn({
    type: 'line-chart',
    title: 'Two',
    xLabel: 'step',
    series: [
      { label: 'low', colour: 0, dash: 0, points: point(0.2) },
      { label: 'high', colour: 1, dash: 0, points: point(0.8) },
    ],
    range: [0, 1],
    format: 'significant',
  })
  const heights = [...two.matchAll(/<polyline[^>]* points="[\d.]+,([\d.]+)"/g)].map(([, y]) =>
    Number(y),
  )
  expect(heights[1]!).toBeLessThan(heights[0]!)
  expect(two).toContain('<circle')
  expect(two).toContain('<path')
})

test('a forest row keeps order and sign', () => {
  const forest = { change: -0.5, lower: -0.6, upper: -0.4, margin: 0.05, reach: 1 }
  const row = drawn(table([forest], [label('', () => ({ forest }))]))
  const at = (pattern: RegExp) => Number(pattern.exec(row)![1])
  const [low, high] = [at(/whisker"\s+x1="([\d.]+)"/), at(/whisker"[^>]*x2="([\d.]+)"/)]
  const dot = at(/cx="([\d.]+)"/)
  expect(low).toBeLessThan(dot)
  expect(dot).toBeLessThan(high)
  expect(high).toBeLessThan(75)
})

test('a heat map has no number and no tint where there is no cell', () => {
  const map = drawn({
    type: 'heat-map',
    title: 'Intruders',
    rows: ['layer 0', 'layer 1'],
    columns: ['q_proj', 'up_proj'],
    cells: [0, 1].map((r) =>
      [0, 1].map((c) => (r === c ? { label: `${r}${c}`, share: r, detail: 'd' } : null)),
    ),
  })
  expect([...map.matchAll(/<td class="h\d+"/g)].map(([cell]) => cell)).toEqual([
    '<td class="h0"',
    '<td class="h10"',
  ])
  expect(map.match(/<td><\/td>/g)).toHaveLength(3)
})

test('claims are drawn on one scale with its axis, harm to the right and a bar for each that was measured', () => {
  const row = (change: number) => ({
    outcome: 'FAIL' as const,
    cells: [`${change}`],
    harm: '',
    margin: '',
    forest: { change, lower: change - 0.01, upper: change + 0.01, margin: 0.05 },
  })
  const plot = drawn({
    type: 'forest-plot',
    caption: '',
    heads: ['Variant'],
    rows: [row(0.9), row(-0.02), { ...row(0), forest: null }],
  })
  const dots = [...plot.matchAll(/cx="([\d.]+)"/g)].map(([, x]) => Number(x))
  expect(dots).toHaveLength(2)
  expect(dots[0]!).toBeGreaterThan(dots[1]!)
  const zeros = new Set([...plot.matchAll(/class="zero" x1="([\d.]+)"/g)].map(([, x]) => x))
  expect(zeros.size).toBe(1)
  expect([...plot.matchAll(/text-anchor="middle">([^<]*)</g)].map(([, text]) => text)).toEqual([
    '0',
    '20',
    '40',
    '60',
    '80',
  ])
})

test('steps that matter are named in the picture', () => {
  const chart = drawn({
    type: 'line-chart',
    title: 'Rate',
    xLabel: 'step',
    series: [
      {
        label: 'a',
        colour: 0,
        dash: 0,
        points: [
          { x: 0, y: 1 },
          { x: 10, y: 0 },
        ],
      },
    ],
    marks: [{ x: 10, label: 'falls' }],
    format: 'percent',
  })
  expect(chart).toMatch(/class="mark-label"[^>]*>falls</)
})

test('a curve carries its interval as a band, seeds as dashes and dots, and no marker where it is plain', () => {
  const point = (x: number, y: number) => ({ x, y, lower: y - 0.1, upper: y + 0.1 })
  const series = (seed: number) => ({
    label: `lora, seed ${seed}`,
    colour: 1,
    dash: seed,
    points: [point(20, 0.9), point(40, 0.5)],
  })
  const chart = drawn({
    type: 'line-chart',
    title: 'Refusal',
    xLabel: 'training step',
    series: [series(0), { ...series(1), dots: [{ x: 40, y: 0.4 }], isPlain: true }],
    reference: { y: 0.95, label: 'base 95.0 %' },
    range: [0, 1],
    format: 'percent',
  })
  const picture = chart.slice(0, chart.indexOf('</svg>'))
  expect(picture.match(/<polygon class="band c1"/g)).toHaveLength(2)
  expect(picture.match(/<polyline [^>]*stroke-dasharray="none"/g)).toHaveLength(1)
  expect(picture.match(/<path/g)).toHaveLength(2)
  expect(picture.match(/class="seed-dot"/g)).toHaveLength(1)
  expect(picture.match(/class="reference"/g)).toHaveLength(1)
  expect(chart).toMatch(/base 95\.0\s%<\/li>/u)
})
