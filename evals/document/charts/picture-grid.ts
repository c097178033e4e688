/** @file Small pictures with their boxes side by side; what each shows is said in its name, and in the table behind them. */
import { heightOf, inkOf, type Picture, type PictureGrid } from '../../contract/document/charts.ts'
import { draw, type Element } from './drawing.ts'

/** Of a pixel of a picture, and of the narrowest one, in pixels of the screen. */
const SCALE = 4
const NARROWEST = 72

export const pictureGrid = ({ title, pictures }: PictureGrid): Element =>
  draw(
    'figure',
    {},
    draw('figcaption', {}, title),
    draw(
      'ul',
      { class: 'pictures', role: 'list' },
      ...pictures.map((picture, i) =>
        draw('li', {}, drawn(picture, i + 1), draw('span', {}, String(i + 1))),
      ),
    ),
  )

function drawn(picture: Picture, place: number): Element {
  const { width, facts, boxes = [] } = picture
  return draw(
    'svg',
    {
      viewBox: `0 0 ${width} ${heightOf(picture)}`,
      width: Math.max(NARROWEST, SCALE * width),
      role: 'img',
      'aria-label': `Picture ${place}: ${facts.join(', ')}`,
    },
    ...inkOf(picture).map(({ opacity, d }) =>
      draw('path', { fill: 'currentColor', 'fill-opacity': opacity, d }),
    ),
    ...boxes.map(({ box: [x0, y0, x1, y1], label }, b) =>
      draw(
        'rect',
        { class: b === 0 ? 'box' : 'box other', x: x0, y: y0, width: x1 - x0, height: y1 - y0 },
        draw('title', {}, label),
      ),
    ),
  )
}
