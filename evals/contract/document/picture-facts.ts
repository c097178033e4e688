/** @file What is known of small pictures, as the table that stands beside them. */
import type { Table } from '../document.ts'
import type { PictureGrid } from './charts.ts'

const sidesOf = ([x0, y0, x1, y1]: readonly number[]) => `${x0},${y0} to ${x1},${y1}`

/** What is known of each picture, and its boxes. */
export function factsOf({ title, heads, pictures }: PictureGrid): Table {
  const hasBoxes = pictures.some(({ boxes = [] }) => boxes.length > 0)
  const columns = ['Picture', ...heads, ...(hasBoxes ? ['Boxes'] : [])]
  const rows = pictures.map(({ facts, boxes = [] }, i) => [
    String(i + 1),
    ...facts,
    ...(hasBoxes ? [boxes.map(({ box, label }) => `${label}: ${sidesOf(box)}`).join('; ')] : []),
  ])
  return {
    type: 'table',
    caption: title,
    columns: columns.map((head) => ({ head, kind: 'label' })),
    groups: [{ name: '', rows }],
  }
}
