/** @file Small pictures with their boxes side by side, as inline SVG. */
import { heightOf, inkOf, type Picture, type PictureGrid } from '../../contract/document/charts.ts'
import { html, type Content, type Markup } from '../markup.ts'

const WIDTH = 800
const GAP = 12
const CAPTION = 18
const MOST_ACROSS = 10

/** Each picture as wide as its place; its facts stand in the table behind. */
export function pictureGrid({ title, pictures }: PictureGrid): Markup {
  const widest = Math.max(1, ...pictures.map(({ width }) => width))
  const across = Math.min(MOST_ACROSS, Math.max(1, Math.floor(WIDTH / Math.max(72, 2.4 * widest))))
  const place = WIDTH / across
  const scale = (place - GAP) / widest
  const tall = Math.max(1, ...pictures.map(heightOf)) * scale + CAPTION + GAP
  const height = Math.ceil(pictures.length / across) * tall
  const drawn = pictures.map((picture, i): Content => {
    const [x, y] = [(i % across) * place, Math.floor(i / across) * tall]
    return html`<g transform="translate(${x.toFixed(1)} ${y.toFixed(1)})"
      >${one(picture, i, scale)}</g
    >`
  })
  return html`<figure>
    <figcaption>${title}</figcaption>
    <svg
      viewBox="0 0 ${WIDTH} ${Math.ceil(height)}"
      role="img"
      aria-label="${title}. What each shows is in the table below."
    >
      ${drawn}
    </svg>
  </figure>`
}

function one(picture: Picture, i: number, scale: number): Markup {
  const { width, facts, boxes = [] } = picture
  const [wide, tall] = [width * scale, heightOf(picture) * scale]
  return html`<title>${i + 1}: ${facts.join(', ')}</title
    ><rect
      width="${wide.toFixed(1)}"
      height="${tall.toFixed(1)}"
      fill="none"
      stroke="currentColor"
      stroke-opacity="0.25"
    /><g transform="scale(${scale.toFixed(3)})" fill="currentColor"
      >${inkOf(picture).map(({ opacity, d }) => html`<path fill-opacity="${opacity}" d="${d}" />`)}</g
    ><g fill="none" stroke="rgb(var(--heat))" stroke-width="2"
      >${boxes.map(
        ({ box: [x0, y0, x1, y1], label }, b) =>
          html`<rect
            stroke-dasharray="${b === 0 ? 'none' : '6 4'}"
            x="${(x0 * scale).toFixed(1)}"
            y="${(y0 * scale).toFixed(1)}"
            width="${((x1 - x0) * scale).toFixed(1)}"
            height="${((y1 - y0) * scale).toFixed(1)}"
            ><title>${label}</title></rect
          >`,
      )}</g
    ><text x="0" y="${(tall + CAPTION - 4).toFixed(1)}">${i + 1}</text>`
}
