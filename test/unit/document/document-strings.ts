/** @file Every string of a document's sections that a reader of any output should meet. */
import type { Block, Cell, Section, Text } from '../../../evals/contract/document.ts'

export const stringsOf = (sections: readonly Section[]): string[] =>
  sections.flatMap(({ heading, blocks }) => [heading ?? '', ...blocks.flatMap(blockStrings)])

const textOf = (text: Text): string[] => {
  if (typeof text === 'string') return [text]
  return text.map((span) => (typeof span === 'string' ? span : String(Object.values(span)[0])))
}
const cellOf = (cell: Cell): string[] => {
  if (typeof cell === 'string' || Array.isArray(cell)) return textOf(cell)
  return 'text' in cell ? [cell.text] : []
}

function blockStrings(block: Block): string[] {
  switch (block.type) {
    case 'decision':
      return [block.outcome, block.headline, block.rule]
    case 'findings':
      return [
        ...block.heads,
        ...block.rows.flatMap(({ outcome, cells, sentence }) => [outcome, ...cells, sentence]),
      ]
    case 'paragraph':
      return textOf(block.text)
    case 'heading':
      return [block.text]
    case 'list':
      return block.items.flatMap(textOf)
    case 'facts':
      return block.rows.flatMap(([name, text]) => [name, ...textOf(text)])
    case 'code':
      return block.text.split('\n')
    case 'table':
      return [
        block.caption,
        ...block.columns.map(({ head }) => head),
        ...block.groups.flatMap((group) => [group.name, ...group.rows.flat().flatMap(cellOf)]),
      ]
    case 'line-chart':
      return [block.title, block.reference?.label ?? '']
    case 'heat-map':
      return [block.title, ...block.cells.flat().map((cell) => cell?.label ?? '')]
    case 'picture-grid':
      return [block.title, ...block.heads, ...block.pictures.flatMap(({ facts }) => facts)]
    case 'forest-plot':
      return [
        block.caption,
        ...block.heads,
        ...block.rows.flatMap(({ outcome, cells, harm, margin }) => [
          outcome,
          ...cells,
          harm,
          margin,
        ]),
      ]
    case 'tiles':
      return [
        ...block.columns,
        ...block.rows.flatMap(({ name, tiles }) => [
          name,
          ...tiles.flatMap((tile) => (tile ? [tile.outcome, tile.rate, ...tile.lines] : [])),
        ]),
      ]
    case 'signature':
      return block.fields
    case 'details':
      return [block.summary, ...block.blocks.flatMap(blockStrings)]
  }
}
