/** @file Sections as one self-contained HTML page. No script, no remote asset, every text escaped. */
import { factsOf } from '../contract/document/picture-facts.ts'
import {
  DECISIONS,
  OUTCOME_SIGNS,
  type Block,
  type Cell,
  type Section,
  type Span,
  type Table,
  type Text,
} from '../contract/document.ts'
import type { GateOutcome } from '../contract/gate.ts'
import type { Results } from '../contract/results.ts'
import { together } from '../contract/words.ts'
import type { Drawing } from './charts/drawing.ts'
import { drawingOf } from './charts/drawing-of.ts'
import { forestRow } from './charts/forest.ts'
import { element, html, toHtml, trusted, type Markup } from './markup.ts'
import { hasOwnSections, sectionsOf } from './registry.ts'
import { STYLE } from './style.ts'
import { moreText } from './text.ts'

export function renderReport(results: Results): string {
  const { run, verdict, engine } = results
  return renderPage({
    title: run.title,
    tab: hasOwnSections(results) ? run.title : `${verdict.outcome} – ${run.title}`,
    eyebrow: run.kind,
    run: run.id,
    measuredUntil: run.endedAt,
    version: engine.version,
    sections: sectionsOf(results, 'html'),
  })
}

interface Page {
  readonly title: string
  /** What the browser shows for it; the title where absent. */
  readonly tab?: string
  readonly eyebrow: string
  readonly run: string
  readonly measuredUntil: string
  readonly version: string
  readonly sections: readonly Section[]
}

export function renderPage({ title, tab = title, eyebrow, run, ...page }: Page): string {
  return toHtml(
    html`<!doctype html>
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta
            http-equiv="Content-Security-Policy"
            content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"
          />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta name="generator" content="Touchstone ${page.version}" />
          <title>${tab}</title>
          <style>
            ${STYLE}${runningHead(tab)}
          </style>
        </head>
        <body>
          <header>
            <p class="eyebrow">Touchstone ${eyebrow}</p>
            <h1>${title}</h1>
            <p class="quiet">${day(page.measuredUntil)}, run <code>${run}</code></p>
          </header>
          <main>${pagesMarkup(page.sections)}</main>
        </body>
      </html> `,
  )
}

const day = (isoTime: string) => isoTime.slice(0, 16).replace('T', ' ').concat(' UTC')

/** The pages that are signed, the contents, and the appendix; a document without such pages is all one. */
function pagesMarkup(sections: readonly Section[]): Markup {
  const on = (page: Section['sheet']) => sections.filter(({ sheet }) => sheet === page)
  const rest = on(undefined)
  if (rest.length === sections.length) return sectionsMarkup(sections)
  const headed = rest.flatMap(({ heading }) => heading ?? [])
  return html`<div class="sheet first">${sectionsMarkup(on(1))}</div>
    <div class="sheet second">${sectionsMarkup(on(2))}</div>
    <nav class="contents" aria-labelledby="contents">
      <h2 id="contents">Appendix</h2>
      <ol>
        ${headed.map((heading, n) => html`<li><a href="#appendix-${n + 1}">${heading}</a></li>`)}
      </ol>
    </nav>
    <div class="appendix">${sectionsMarkup(rest, 'appendix')}</div>`
}

/** Each a region with its heading; with `name` headings have ids that count from 1. */
export function sectionsMarkup(sections: readonly Section[], name = ''): Markup {
  let n = 0
  return html`${sections.map(({ heading, blocks }) => {
    const id = heading !== null && name !== '' && `${name}-${++n}`
    return html`<section>
      ${heading !== null && (id ? html`<h2 id="${id}">${heading}</h2>` : html`<h2>${heading}</h2>`)}${blocks.map((block) => blockMarkup(block))}
    </section>`
  })}`
}

/** The title on every page of a print. In a string of a style sheet each character is written by its number. */
function runningHead(title: string): Markup {
  const text = title
    .toWellFormed()
    .slice(0, 90)
    .replaceAll(/[^\w .,:–]/gu, (character) => `\\${character.codePointAt(0)!.toString(16)} `)
  return html`@page { @top-left { content: '${trusted(text)}' } }`
}

/** A class of the style sheet. */
const styleOf = (outcome: GateOutcome) => outcome.replace(' ', '-')

const badge = (outcome: GateOutcome) =>
  html`<span class="badge ${styleOf(outcome)}">${OUTCOME_SIGNS[outcome]} ${outcome}</span>`

/** A drawing as markup; links into the window are left out. */
function drawn(drawing: Drawing): Markup {
  if (typeof drawing === 'string') return html`${together(drawing)}`
  const { tag, attributes, children, replies } = drawing
  if (replies) return html`${children.map(drawn)}`
  return element(tag, attributes, children.map(drawn))
}

function blockMarkup(block: Block, isFolded = false): Markup {
  switch (block.type) {
    case 'decision':
      return decisionMarkup(block)
    case 'findings':
      return findingsMarkup(block)
    case 'paragraph':
      return html`<p class="${block.isQuiet ? 'quiet' : ''}">${textMarkup(block.text)}</p>`
    case 'heading':
      return html`<h3>${together(block.text)}</h3>`
    case 'list':
      return listMarkup(block)
    case 'facts':
      return factsMarkup(block)
    case 'code':
      return html`<pre><code>${block.text}</code></pre>`
    case 'table':
      return tableMarkup(block, isFolded)
    case 'line-chart':
      return drawn(drawingOf(block))
    case 'heat-map':
    case 'forest-plot':
    case 'tiles':
      return framed(drawn(drawingOf(block)))
    case 'picture-grid':
      return html`${drawn(drawingOf(block))}${tableMarkup(factsOf(block), isFolded)}`
    case 'signature':
      return signatureMarkup(block)
    case 'details':
      return html`<details class="${block.isRepeat ? 'repeat' : ''}">
        <summary>${together(block.summary)}</summary>
        ${block.blocks.map((inner) => blockMarkup(inner, true))}
      </details>`
  }
}

type Of<T extends Block['type']> = Extract<Block, { type: T }>

const listMarkup = ({ items }: Of<'list'>): Markup =>
  html`<ul>
    ${items.map((item) => html`<li>${textMarkup(item)}</li>`)}
  </ul>`

const signatureMarkup = ({ fields }: Of<'signature'>): Markup =>
  html`<dl class="signature">
    ${fields.map(
      (field) =>
        html`<div>
          <dt>${field}</dt>
          <dd></dd>
        </div>`,
    )}
  </dl>`

function decisionMarkup({ of, outcome, headline, rule }: Of<'decision'>): Markup {
  return html`<section class="verdict ${styleOf(outcome)}" aria-labelledby="${of}">
    <h2 class="outcome" id="${of}">
      ${OUTCOME_SIGNS[outcome]} ${of === 'gate' && 'Gate: '}${outcome}
      <span class="advice">${DECISIONS[outcome]}</span>
    </h2>
    <p class="headline">${textMarkup(headline)}</p>
    <p class="quiet">${textMarkup(rule)}</p>
  </section>`
}

function findingsMarkup({ heads, rows }: Of<'findings'>): Markup {
  const head = ['Outcome', ...heads, 'What was found']
  return framed(
    html`<table>
      <thead>
        <tr>
          ${head.map((name) => html`<th scope="col">${together(name)}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ({ outcome, cells, sentence }) =>
            html`<tr>
              <td>${badge(outcome)}</td>
              ${cells.map((cell) => html`<td>${together(cell)}</td>`)}
              <td>${textMarkup(sentence)}</td>
            </tr>`,
        )}
      </tbody>
    </table>`,
  )
}

const factsMarkup = ({ rows }: Of<'facts'>): Markup =>
  framed(
    html`<table class="facts">
      <tbody>
        ${rows.map(
          ([name, text]) =>
            html`<tr>
              <th scope="row">${together(name)}</th>
              <td>${textMarkup(text)}</td>
            </tr>`,
        )}
      </tbody>
    </table>`,
  )

/** Wide tables scroll inside; the frame can be reached by key. */
/** Wide tables scroll inside; the frame can be reached by key. */
const framed = (content: Markup): Markup => html`<div class="scroll" tabindex="0">${content}</div>`

const CLASSES = { number: 'n', quoted: 'text', label: '' }

/** Rows of a folded table that stand on paper. */
const MOST_ON_PAPER = 6

/** Of a folded table the first rows stand on paper, and how many more there are. */
function tableMarkup(table: Table, isFolded: boolean): Markup {
  const { caption, columns, groups } = table
  const source = sourceOf(groups)
  const heads = columns.map(({ head, kind }) => headMarkup(CLASSES[kind], head))
  const left = isFolded ? rowsIn(groups) - MOST_ON_PAPER : 0
  const bodies = groups.map(({ name, rows }, g) => {
    const before = left > 0 ? rowsIn(groups.slice(0, g)) : -Infinity
    return html`<tbody>
      ${name !== '' && groupMarkup(name, columns.length + (source === undefined ? 0 : 1))}${rows.map((_, r) => rowMarkup(table, [g, r], source, before + r >= MOST_ON_PAPER))}
    </tbody>`
  })
  const head = html`<tr>
    ${heads}${source !== undefined && headMarkup('id', source)}
  </tr>`
  return html`${framed(
    html`<table>
      ${
        caption !== '' &&
        html`<caption>
          ${together(caption)}
        </caption>`
      }
      <thead>
        ${head}
      </thead>
      ${bodies}
    </table>`,
  )}${left > 0 && html`<p class="paper quiet">${left} more rows stand in results.json and on the screen.</p>`}`
}

const rowsIn = (groups: Table['groups']) => groups.reduce((sum, { rows }) => sum + rows.length, 0)

/** The cells of row `r` of group `g`, and its id less what all ids of the table begin with. */
function rowMarkup(
  { columns, groups }: Table,
  [g, r]: readonly [number, number],
  source: string | undefined,
  isOnScreenAlone: boolean,
): Markup {
  const { rows, ids } = groups[g]!
  const cells = rows[r]!.map(
    (cell, c) => html`<td class="${CLASSES[columns[c]!.kind]}">${cellMarkup(cell)}</td>`,
  )
  const id = (ids?.[r] ?? '').slice(source?.length)
  const all = html`${cells}${source !== undefined && html`<td class="id">${id}</td>`}`
  return isOnScreenAlone
    ? html`<tr class="screen">
        ${all}
      </tr>`
    : html`<tr>
        ${all}
      </tr>`
}

const headMarkup = (name: string, head: string): Markup =>
  head === '' ? html`<td></td>` : html`<th scope="col" class="${name}">${together(head)}</th>`

const groupMarkup = (name: string, columns: number): Markup =>
  html`<tr class="group">
    <th colspan="${columns}" scope="rowgroup">${together(name)}</th>
  </tr>`

/** What the ids of a table's rows have in common, such as `comparisons/`; undefined without ids. */
function sourceOf(groups: Table['groups']): string | undefined {
  const ids = groups.flatMap(({ ids: all = [] }) => all.filter((id) => id !== ''))
  if (ids.length === 0) return undefined
  const folders = new Set(ids.map((id) => id.slice(0, id.lastIndexOf('/') + 1)))
  return folders.size === 1 ? [...folders][0]! : ''
}

function cellMarkup(cell: Cell): Markup {
  if (typeof cell === 'string' || Array.isArray(cell)) return textMarkup(cell)
  return 'forest' in cell ? drawn(forestRow(cell.forest)) : html`${together(cell.text)}`
}

const textMarkup = (text: Text): Markup =>
  typeof text === 'string' ? html`${together(text)}` : html`${text.map(spanMarkup)}`

function spanMarkup(span: Span): Markup {
  if (typeof span === 'string') return html`${together(span)}`
  if ('strong' in span) return html`<strong>${together(span.strong)}</strong>`
  if ('code' in span) return html`<code>${span.code}</code>`
  if ('quiet' in span) return html`<span class="quiet">${together(span.quiet)}</span>`
  const { quoted, more } = span
  return html`<span class="said"
    >${quoted}${more > 0 && html`<span class="note">${moreText(more)}</span>`}</span
  >`
}
