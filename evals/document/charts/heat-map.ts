/** @file A grid of tinted, labelled cells as inline SVG: the deeper the tint, the larger the share. */
import type { HeatMap } from '../../contract/document/charts.ts'
import { html, type Content, type Markup } from '../markup.ts'

const LEFT = 66
const TOP = 24
const ROW = 24
const WIDTH = 800

export function heatMap({ title, rows, columns, cells: grid }: HeatMap): Markup {
  const width = Math.min(96, (WIDTH - LEFT) / Math.max(1, columns.length))
  const height = TOP + ROW * rows.length + 4
  const cells = rows.flatMap((_, r) =>
    columns.map((__, c): Content => {
      const found = grid[r]![c]
      if (!found) return null
      const [x, y] = [LEFT + c * width, TOP + r * ROW]
      const opacity = (0.06 + 0.74 * Math.min(1, Math.max(0, found.share))).toFixed(2)
      return html`<g
        ><title>${found.detail}</title
        ><rect
          x="${(x + 1).toFixed(1)}"
          y="${y + 1}"
          width="${(width - 2).toFixed(1)}"
          height="${ROW - 2}"
          rx="2"
          style="fill: rgba(var(--heat), ${opacity})"
        /><text class="cell-label" x="${(x + width / 2).toFixed(1)}" y="${y + 16}"
          >${found.label}</text
        ></g
      >`
    }),
  )
  return html`<figure>
    <figcaption>${title}</figcaption>
    <svg
      viewBox="0 0 ${WIDTH} ${height}"
      role="img"
      aria-label="${title}. The numbers are in the table below."
    >
      ${columns.map((name, c) => html`<text x="${(LEFT + (c + 0.5) * width).toFixed(1)}" y="15" text-anchor="middle">${name}</text>`)}
      ${rows.map((name, r) => html`<text x="${LEFT - 8}" y="${TOP + r * ROW + 16}" text-anchor="end">${name}</text>`)}
      ${cells}
    </svg>
  </figure>`
}
