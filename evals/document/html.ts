/** @file Sections as one self-contained HTML page. No script, no remote asset, every text escaped. */
import { factsOf } from '../contract/document/picture-facts.ts'
import {
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
import { forestRow } from './charts/forest.ts'
import { heatMap } from './charts/heat-map.ts'
import { pictureGrid } from './charts/picture-grid.ts'
import { lineChart } from './charts/line-chart.ts'
import { html, toHtml, type Markup } from './markup.ts'
import { hasOwnSections, sectionsOf } from './registry.ts'
import { STYLE } from './style.ts'
import { moreText } from './text.ts'

export function renderReport(results: Results): string {
  const { run, verdict, engine } = results
  const title = hasOwnSections(results) ? run.title : `${verdict.outcome} – ${run.title}`
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
          <meta name="generator" content="Touchstone ${engine.version}" />
          <title>${title}</title>
          <style>
            ${STYLE}
          </style>
        </head>
        <body>
          <header>
            <p class="eyebrow">Touchstone ${run.kind}</p>
            <h1>${run.title}</h1>
            <p class="quiet">${day(run.endedAt)}, run <code>${run.id}</code></p>
          </header>
          <main>${sectionsMarkup(sectionsOf(results, 'html'))}</main>
        </body>
      </html> `,
  )
}

const day = (isoTime: string) => isoTime.slice(0, 16).replace('T', ' ').concat(' UTC')

export const sectionsMarkup = (sections: readonly Section[]): Markup =>
  html`${sections.map(({ heading, blocks }) => html`${heading !== null && html`<h2>${heading}</h2>`}${blocks.map(blockMarkup)}`)}`

/** The style sheet has three states: what cannot be compared is as open as what cannot be decided. */
const styleOf = (outcome: GateOutcome) => (outcome === 'NOT COMPARABLE' ? 'INCONCLUSIVE' : outcome)

const badge = (outcome: GateOutcome) =>
  html`<span class="badge ${styleOf(outcome)}">${OUTCOME_SIGNS[outcome]} ${outcome}</span>`

function blockMarkup(block: Block): Markup {
  switch (block.type) {
    case 'decision':
      return decisionMarkup(block)
    case 'findings':
      return findingsMarkup(block)
    case 'paragraph':
      return html`<p class="${block.isQuiet ? 'quiet' : ''}">${prose(block.text)}</p>`
    case 'heading':
      return html`<h3>${block.text}</h3>`
    case 'list':
      return html`<ul>
        ${block.items.map((item) => html`<li>${prose(item)}</li>`)}
      </ul>`
    case 'facts':
      return factsMarkup(block)
    case 'code':
      return html`<pre><code>${block.text}</code></pre>`
    case 'table':
      return tableMarkup(block)
    case 'line-chart':
      return lineChart(block)
    case 'heat-map':
      return heatMap(block)
    case 'picture-grid':
      return html`${pictureGrid(block)}${tableMarkup(factsOf(block))}`
    case 'details':
      return html`<details>
        <summary>${block.summary}</summary>
        ${block.blocks.map(blockMarkup)}
      </details>`
  }
}

type Of<T extends Block['type']> = Extract<Block, { type: T }>

function decisionMarkup({ of, outcome, headline, rule }: Of<'decision'>): Markup {
  return html`<section class="verdict ${styleOf(outcome)}" aria-labelledby="${of}">
    <p class="outcome" id="${of}">
      ${OUTCOME_SIGNS[outcome]} ${of === 'gate' && 'Gate: '}${outcome}
    </p>
    <p class="headline">${prose(headline)}</p>
    <p class="quiet">${prose(rule)}</p>
  </section>`
}

function findingsMarkup({ heads, rows }: Of<'findings'>): Markup {
  const head = ['Outcome', ...heads, 'What was found']
  return framed(
    html`<thead>
        <tr>
          ${head.map((name) => html`<th scope="col">${name}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ({ outcome, cells, sentence }) =>
            html`<tr>
              <td>${badge(outcome)}</td>
              ${cells.map((cell) => html`<td>${cell}</td>`)}
              <td>${prose(sentence)}</td>
            </tr>`,
        )}
      </tbody>`,
  )
}

const factsMarkup = ({ rows }: Of<'facts'>): Markup =>
  framed(
    html`<tbody>
      ${rows.map(
        ([name, text]) =>
          html`<tr>
            <th scope="row">${name}</th>
            <td>${textMarkup(text)}</td>
          </tr>`,
      )}
    </tbody>`,
  )

/** Wide tables scroll inside; the frame can be reached by key. */
const framed = (content: Markup): Markup =>
  html`<div class="scroll" tabindex="0">
    <table>
      ${content}
    </table>
  </div>`

const CLASSES = { number: 'n', quoted: 'text', label: '' }

function tableMarkup({ caption, columns, groups }: Table): Markup {
  const classOf = (column: number) => CLASSES[columns[column]!.kind]
  const heads = columns.map(
    ({ head }, c) => html`<th scope="col" class="${classOf(c)}">${head}</th>`,
  )
  const bodies = groups.map(
    ({ name, rows }) =>
      html`<tbody>
        ${
          name !== '' &&
          html`<tr class="group">
            <th colspan="${columns.length}" scope="rowgroup">${name}</th>
          </tr>`
        }${rows.map(
          (row) =>
            html`<tr>
              ${row.map((cell, c) => html`<td class="${classOf(c)}">${cellMarkup(cell)}</td>`)}
            </tr>`,
        )}
      </tbody>`,
  )
  return framed(
    html`${
        caption !== '' &&
        html`<caption>
          ${caption}
        </caption>`
      }
      <thead>
        <tr>
          ${heads}
        </tr>
      </thead>
      ${bodies}`,
  )
}

function cellMarkup(cell: Cell): Markup {
  if (typeof cell === 'string' || Array.isArray(cell)) return textMarkup(cell)
  return 'forest' in cell ? forestRow(cell.forest) : html`${cell.text}`
}

/** A sentence: a number and its unit stay on one line. */
const prose = (text: Text): Markup =>
  textMarkup(
    typeof text === 'string'
      ? together(text)
      : text.map((span) => (typeof span === 'string' ? together(span) : span)),
  )

const together = (text: string) => text.replace(/(\d) (%|points)/g, '$1\u00a0$2')

const textMarkup = (text: Text): Markup =>
  typeof text === 'string' ? html`${text}` : html`${text.map(spanMarkup)}`

function spanMarkup(span: Span): Markup {
  if (typeof span === 'string') return html`${span}`
  if ('strong' in span) return html`<strong>${span.strong}</strong>`
  if ('code' in span) return html`<code>${span.code}</code>`
  if ('quiet' in span) return html`<span class="quiet">${span.quiet}</span>`
  const { quoted, more } = span
  return html`<span class="said"
    >${quoted}${more > 0 && html`<span class="note">${moreText(more)}</span>`}</span
  >`
}
