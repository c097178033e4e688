/** @file Tables, the form that every number in the report has. */
import { html, type Content, type Markup } from './markup.ts'

export interface Column<R> {
  readonly head: string
  readonly cell: (row: R) => Content
  /** Numbers stand to the right, texts of strangers keep their line breaks. */
  readonly kind?: 'number' | 'text'
}

const CLASSES = { number: 'n', text: 'text' }

export function table<R>(columns: readonly Column<R>[], rows: readonly R[], caption = ''): Markup {
  return framed(
    columns,
    html`<tbody>
      ${rows.map((row) => rowOf(columns, row))}
    </tbody>`,
    caption,
  )
}

/** Rows under headings; `rows` must come group by group. */
export function groupedTable<R>(
  columns: readonly Column<R>[],
  rows: readonly R[],
  groupOf: (row: R) => string,
): Markup {
  const groups = [...Map.groupBy(rows, groupOf)]
  const bodies = groups.map(
    ([name, members]) =>
      html`<tbody>
        <tr class="group">
          <th colspan="${columns.length}" scope="rowgroup">${name}</th>
        </tr>
        ${members.map((row) => rowOf(columns, row))}
      </tbody>`,
  )
  return framed(columns, bodies, '')
}

const classOf = ({ kind }: Pick<Column<never>, 'kind'>) => (kind ? CLASSES[kind] : '')

function framed<R>(columns: readonly Column<R>[], bodies: Content, caption: string): Markup {
  return html`<div class="scroll" tabindex="0">
    <table>
      ${
        caption !== '' &&
        html`<caption>
          ${caption}
        </caption>`
      }
      <thead>
        <tr>
          ${columns.map((column) => html`<th scope="col" class="${classOf(column)}">${column.head}</th>`)}
        </tr>
      </thead>
      ${bodies}
    </table>
  </div>`
}

function rowOf<R>(columns: readonly Column<R>[], row: R): Markup {
  const cells = columns.map(
    (column) => html`<td class="${classOf(column)}">${column.cell(row)}</td>`,
  )
  return html`<tr>
    ${cells}
  </tr>`
}

/** The table behind a chart, or the long version of a short table. */
export function folded(summary: string, content: Content): Markup {
  return html`<details>
    <summary>${summary}</summary>
    ${content}
  </details>`
}
