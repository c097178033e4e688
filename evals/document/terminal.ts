/** @file Sections as plain text for a terminal. Words of a model or a file are made plain first. */
import type { AuditRows } from '../contract/audit-rows.ts'
import type { Block, Section, Table } from '../contract/document.ts'
import type { Results } from '../contract/results.ts'
import { listed } from './blocks.ts'
import { plainText } from './plain-text.ts'
import { sectionsOf } from './registry.ts'
import { cellText, fieldLine, tableOf, textOf } from './text.ts'

const plain = (text: string) => plainText(text, 2000)

/** What a run found, and the files it wrote. */
export const verdictText = (results: Results, files: readonly string[]): string =>
  terminalText([...sectionsOf(results, 'terminal'), ...listed('Files', files)])

/** For kinds of job without results: the files they left. A judge that asks a model is none. */
export function artifactText({ artifacts }: AuditRows): string {
  const files = artifacts.filter(({ content }) => content?.kind !== 'judge')
  return terminalText(
    listed(
      'Files',
      files.map(({ role, path }) => `${role}  ${path}`),
    ),
  )
}

/** Lines under their heading are indented; a section without a heading stands at the margin. */
export function terminalText(sections: readonly Section[]): string {
  return sections
    .map(({ heading, blocks }) => {
      const lines = blocks.flatMap(linesOf)
      return heading === null
        ? `${lines.join('\n')}\n`
        : `${plain(heading)}\n${lines.map((line) => `  ${line}\n`).join('')}`
    })
    .join('\n')
}

function linesOf(block: Block): string[] {
  switch (block.type) {
    case 'decision': {
      const of = block.of === 'gate' ? 'Gate: ' : ''
      return [
        `${of}${block.outcome}  ${plain(block.headline)}`,
        ...(block.rule ? [plain(block.rule)] : []),
      ]
    }
    case 'findings': {
      const width = block.rows.some(({ outcome }) => outcome === 'NOT COMPARABLE') ? 14 : 12
      return block.rows.flatMap(({ outcome, cells, sentence }) => [
        `${outcome.padEnd(width)}  ${plain(sentence)}`,
        ...cells.map((cell, i) => `  ${block.heads[i]}: ${plain(cell)}`),
      ])
    }
    case 'paragraph':
      return [plain(textOf(block.text))]
    case 'heading':
      return ['', plain(block.text)]
    case 'list':
      return block.items.map((item) => plain(textOf(item)))
    case 'facts':
      return block.rows.map(([name, text]) => `${name}: ${plain(textOf(text))}`)
    case 'code':
      return block.text.split('\n').map(plain)
    case 'table':
    case 'heat-map':
    case 'forest-plot':
    case 'tiles':
    case 'picture-grid':
      return tableLines(tableOf(block))
    case 'line-chart':
      return [plain(block.title), ...(block.reference ? [plain(block.reference.label)] : [])]
    case 'signature':
      return block.fields.map(fieldLine)
    case 'details':
      return [plain(block.summary), ...block.blocks.flatMap(linesOf).map((line) => `  ${line}`)]
  }
}

/** Columns side by side, numbers to the right; a column without text in any row is left out. */
function tableLines({ caption, columns, groups }: Table): string[] {
  const texts = groups.map(({ rows }) =>
    rows.map((row) => row.map((cell) => plain(cellText(cell)))),
  )
  const widths = columns.map(({ head }, c) => {
    const longest = Math.max(0, ...texts.flat().map((row) => row[c]!.length))
    return longest === 0 ? 0 : Math.max(longest, plain(head).length)
  })
  const line = (row: readonly string[]) =>
    columns
      .flatMap(({ kind }, c) => {
        if (widths[c] === 0) return []
        return kind === 'number' ? row[c]!.padStart(widths[c]!) : row[c]!.padEnd(widths[c]!)
      })
      .join('  ')
      .trimEnd()
  return [
    ...(caption === '' ? [] : [plain(caption)]),
    ...(columns.every(({ head }) => head === '')
      ? []
      : [line(columns.map(({ head }) => plain(head)))]),
    ...groups.flatMap(({ name }, g) => [
      ...(name === '' ? [] : [plain(name)]),
      ...texts[g]!.map(line),
    ]),
  ]
}
