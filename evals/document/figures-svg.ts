/** @file The figures of a sweep as one picture that stands alone: the report's drawings and colours, with what the page around them says. */
import type { LineChart } from '../contract/document/charts.ts'
import type { Results } from '../contract/results.ts'
import { draw, type Element } from './charts/drawing.ts'
import { legendSigns, lineChart, PICTURE } from './charts/line-chart.ts'
import { sweepFigures } from './charts/sweep-figures.ts'
import { drawn } from './html.ts'
import { toHtml } from './markup.ts'
import { STYLE } from './style.ts'

const HEAD = 52
const FOOT = 26
const TALL = HEAD + PICTURE.height + FOOT
/** Width of a letter of the legend, about. */
const LETTER = 7

/** Undefined where the run has none. */
export function renderFigures({ sweep }: Results): string | undefined {
  const figures = sweep ? sweepFigures(sweep) : []
  if (figures.length === 0) return undefined
  const height = TALL * figures.length
  const size = { width: PICTURE.width, height, viewBox: `0 0 ${PICTURE.width} ${height}` }
  const picture = draw(
    'svg',
    { xmlns: 'http://www.w3.org/2000/svg', 'font-family': 'sans-serif', ...size },
    draw('rect', { width: PICTURE.width, height, fill: colours().get('paper')! }),
    ...figures.map(({ chart }, n) => placed(chart, n * TALL)),
  )
  return `${toHtml(drawn(picture)).replace('>', `><style>${standaloneStyle()}</style>`)}\n`
}

/** Title and legend stand over the picture. */
function placed(chart: LineChart, top: number): Element {
  const inner = lineChart(chart).children.find(
    (child) => typeof child !== 'string' && child.tag === 'svg',
  ) as Element
  const { width, height } = PICTURE
  const at = { ...inner.attributes, x: 0, y: HEAD, width, height }
  return draw(
    'g',
    { transform: `translate(0 ${top})` },
    draw('text', { x: 12, y: 20, class: 'title' }, chart.title),
    ...legendLine(chart),
    { ...inner, attributes: at },
  )
}

function legendLine(chart: LineChart): Element[] {
  let x = 12
  return legendSigns(chart).map(({ sign, label }) => {
    const entry = draw(
      'g',
      { transform: `translate(${x} 32)` },
      sign,
      draw('text', { x: 36, y: 9 }, label),
    )
    x += 60 + LETTER * label.length
    return entry
  })
}

const colours = () =>
  new Map(
    [
      ...toHtml(STYLE)
        .split('@media')[0]!
        .matchAll(/--([\w-]+): ([^;]+);/gu),
    ].map(([, name, value]) => [name!, value!]),
  )

/** The style of drawings without the page's elements and variables, which other programs do not read. */
function standaloneStyle(): string {
  const known = colours()
  const [, drawing = ''] = toHtml(STYLE).split('/* Drawings of report and window')
  const ofCurves = drawing.split('.legend {')[0]!
  const rules = [...ofCurves.matchAll(/^(?:figure (?:svg )?)?(text|\.[\w.-]+)[^{}]*\{[^}]*\}/gmu)]
  const style = rules
    .map(([rule]) => rule.replaceAll('figure ', '').replaceAll('svg ', ''))
    .join('')
    .replaceAll(/var\(--([\w-]+)\)/gu, (whole, name: string) => known.get(name) ?? whole)
  return `${style}text.title{font-size:15px;font-weight:600;fill:${known.get('ink')}}`
}
