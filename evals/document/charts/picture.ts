/** @file Line charts as one picture that stands alone: title and legend over each, the report's light colours, no page around it. */
import type { LineChart } from '../../contract/document/charts.ts'
import { draw, type Drawing, type Element } from './drawing.ts'
import { escapeText } from './escape.ts'
import { legendSigns, lineChart, PICTURE } from './line-chart.ts'

const EDGE = 12
/** Of the title and of a row of the legend. */
const [TITLE, ROW] = [32, 20]
const FOOT = 26
/** Width of a letter of the legend, about; of a sign with the gaps beside it. */
const [LETTER, SIGN] = [7, 60]
const TITLE_STYLE = 'text.title{font-size:15px;font-weight:600;fill:var(--ink)}'

/** `css`: the sheets of colours and drawings; their variables are put in, which other programs do not read. */
export function svgPicture(charts: readonly LineChart[], css: string): string {
  const all = charts.map((chart) => ({ chart, legend: legendRows(chart) }))
  const tops = all.map((_, n) => all.slice(0, n).reduce((sum, each) => sum + heightOf(each), 0))
  const height = all.reduce((sum, each) => sum + heightOf(each), 0)
  const { width } = PICTURE
  const size = { width, height, viewBox: `0 0 ${width} ${height}` }
  const picture = draw(
    'svg',
    { xmlns: 'http://www.w3.org/2000/svg', 'font-family': 'sans-serif', ...size },
    draw('style', {}, ownStyle(css)),
    draw('rect', { width, height, fill: coloursOf(css).get('paper')! }),
    ...all.map((each, n) => placed(each, tops[n]!)),
  )
  return `${markupOf(picture)}\n`
}

interface Titled {
  readonly chart: LineChart
  readonly legend: readonly (readonly Element[])[]
}

const headOf = ({ legend }: Titled) => TITLE + ROW * legend.length
const heightOf = (titled: Titled) => headOf(titled) + PICTURE.height + FOOT

function placed(titled: Titled, top: number): Element {
  const { chart, legend } = titled
  const inner = lineChart(chart).children.find(
    (child) => typeof child !== 'string' && child.tag === 'svg',
  ) as Element
  const at = { ...inner.attributes, x: 0, y: headOf(titled), ...PICTURE }
  return draw(
    'g',
    { transform: `translate(0 ${top})` },
    draw('text', { x: EDGE, y: 20, class: 'title' }, chart.title),
    ...legend.flat(),
    { ...inner, attributes: at },
  )
}

/** As many entries a row as fit. */
function legendRows(chart: LineChart): Element[][] {
  const rows: Element[][] = [[]]
  let x = EDGE
  for (const { sign, label } of legendSigns(chart)) {
    const wide = SIGN + LETTER * label.length
    if (x > EDGE && x + wide > PICTURE.width) {
      rows.push([])
      x = EDGE
    }
    const at = { transform: `translate(${x} ${TITLE + ROW * (rows.length - 1)})` }
    rows.at(-1)!.push(draw('g', at, sign, draw('text', { x: 36, y: 9 }, label)))
    x += wide
  }
  return rows
}

function markupOf(drawing: Drawing): string {
  if (typeof drawing === 'string') return escapeText(drawing)
  const { tag, attributes, children, replies } = drawing
  // A link into the window.
  if (replies) return children.map(markupOf).join('')
  const named = Object.entries(attributes).map(
    ([name, value]) => ` ${name}="${escapeText(String(value))}"`,
  )
  return `<${tag}${named.join('')}>${children.map(markupOf).join('')}</${tag}>`
}

const coloursOf = (css: string) =>
  new Map([...css.matchAll(/--([\w-]+): ([^;]+);/gu)].map(([, name, value]) => [name!, value!]))

/** The rules of drawings alone, without the page's elements around them. */
function ownStyle(css: string): string {
  const known = coloursOf(css)
  const [ofCurves = ''] = css.split('.legend {')
  const rules = [...ofCurves.matchAll(/^(?:figure (?:svg )?)?(text|\.[\w.-]+)[^{}]*\{[^}]*\}/gmu)]
  const style = rules
    .map(([rule]) => rule.replaceAll('figure ', '').replaceAll('svg ', ''))
    .join('')
  return `${style}${TITLE_STYLE}`.replaceAll(
    /var\(--([\w-]+)\)/gu,
    (whole, name: string) => known.get(name) ?? whole,
  )
}
