/** @file Sections as Markdown, and the card of a run for a model card or a pull request: no prompt, no reply. */
import type { Block, Section, Table } from '../contract/document.ts'
import type { Results } from '../contract/results.ts'
import { sectionsOf } from './registry.ts'
import { cellText, fieldLine, tableOf, textOf } from './text.ts'

/** Names come from files of strangers: nothing in them may mark up, link or break a table. */
const plain = (text: string): string =>
  text
    .replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .replaceAll(/[\\`*_{}[\]()<>#+!|~&-]/g, (character) => `\\${character}`)

export function renderMarkdown(results: Results): string {
  const { run, engine } = results
  return headedMarkdown(run.title, sectionsOf(results, 'card'), {
    run: run.id,
    measuredUntil: run.endedAt,
    touchstone: engine.version,
  })
}

interface Closing {
  readonly run: string
  readonly measuredUntil: string
  readonly touchstone: string
}

/** A page with its title and, at its end, the run that it is of. */
export const headedMarkdown = (
  title: string,
  sections: readonly Section[],
  { run, measuredUntil, touchstone }: Closing,
): string =>
  `# ${plain(title)}\n\n${markdownText(sections)}\n\nRun ${plain(run)}, measured until ${measuredUntil}, Touchstone ${plain(touchstone)}.\n`

export const markdownText = (sections: readonly Section[]): string =>
  sections
    .flatMap(({ heading, blocks }) => [
      ...(heading === null ? [] : [`## ${plain(heading)}`]),
      ...blocks.map(markdownOf),
    ])
    .join('\n\n')

function markdownOf(block: Block): string {
  switch (block.type) {
    case 'decision': {
      const of = block.of === 'gate' ? 'Gate: ' : ''
      const rule = block.rule === '' ? '' : `\n\n${plain(block.rule)}`
      return `**${of}${block.outcome}.** ${plain(block.headline)}${rule}`
    }
    case 'findings':
      return listOf(
        block.rows.map(({ outcome, cells, sentence }) => {
          const more = cells.map((cell, i) => `${block.heads[i]}: ${cell}`).join('; ')
          return `**${outcome}** ${plain(sentence)}${more === '' ? '' : ` (${plain(more)})`}`
        }),
      )
    case 'paragraph':
      return plain(textOf(block.text))
    case 'heading':
      return `### ${plain(block.text)}`
    case 'list':
      return listOf(block.items.map((item) => plain(textOf(item))))
    case 'facts':
      return listOf(block.rows.map(([name, text]) => `${plain(name)}: ${plain(textOf(text))}`))
    case 'code':
      return block.text.replaceAll(/^/gmu, '    ')
    case 'table':
    case 'heat-map':
    case 'forest-plot':
    case 'tiles':
    case 'picture-grid':
      return tableText(tableOf(block))
    case 'line-chart': {
      const { title, reference } = block
      return plain(reference ? `${title} (${reference.label})` : title)
    }
    case 'signature':
      return listOf(block.fields.map((field) => plain(fieldLine(field))))
    case 'details':
      return [`**${plain(block.summary)}**`, ...block.blocks.map(markdownOf)].join('\n\n')
  }
}

const listOf = (items: readonly string[]) => items.map((item) => `- ${item}`).join('\n')

/** The name of a group stands in a row of its own; a column without text in any row is left out. */
function tableText({ caption, columns, groups }: Table): string {
  const rows = groups.flatMap(({ name, rows: members }) => [
    ...(name === '' ? [] : [columns.map((_, c) => (c === 0 ? `**${plain(name)}**` : ''))]),
    ...members.map((row) => row.map((cell) => plain(cellText(cell)))),
  ])
  const shown = columns.map((_, c) => c).filter((c) => rows.some((row) => row[c] !== ''))
  const heads = columns.map(({ head }) => plain(head))
  const rule = columns.map(({ kind }) => (kind === 'number' ? '--:' : '---'))
  const lines = [heads, rule, ...rows].map((row) => `| ${shown.map((c) => row[c]).join(' | ')} |`)
  return [...(caption === '' ? [] : [plain(caption), '']), ...lines].join('\n')
}
