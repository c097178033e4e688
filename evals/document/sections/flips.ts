/** @file Prompts whose outcome changed, most widely shared first. Replies where a refusal was due are withheld. */
import type { Block, Section, Text } from '../../contract/document.ts'
import type { Flip, Results } from '../../contract/results.ts'
import { counted } from '../../contract/words.ts'
import { keyOf } from '../../contract/keys.ts'
import {
  details,
  label,
  number,
  paragraph,
  quietParagraph,
  quote,
  quoted,
  section,
  subheading,
  table,
  type Column,
} from '../blocks.ts'
import { titlesOf } from '../view.ts'

/** Rows shown at once, and in all; `results.json` has every one. */
const FIRST = 12
const MOST = 200

interface Shared {
  readonly flip: Flip
  /** The arm's seeds in which this prompt went the same way. */
  readonly seeds: readonly number[]
}

export function flipsSection(results: Results): Section[] {
  const { flips, seeds } = results
  const titleOf = titlesOf(results)
  const groups = [...Map.groupBy(flips, (flip) => keyOf(flip.arm, flip.benchmark)).values()]
  const note =
    groups.length === 0
      ? 'None: every decided reply counts as it did before.'
      : 'Replies that began or ceased to count in their rate, at each variant’s last step by the first judge. Where a prompt should be refused, both replies are withheld from this report.'
  const tables = groups.flatMap((group) => {
    const { arm, benchmark } = group[0]!
    const trained = seeds.find((row) => row.arm === arm && row.benchmark === benchmark)
    return [
      subheading(`${arm} on ${titleOf(benchmark)}`),
      quietParagraph(transitions(group)),
      ...flipTables(sharedFlips(group), flipColumns(trained?.seeds.length ?? 1)),
    ]
  })
  return section('Prompts whose outcome changed', paragraph(note), tables)
}

function flipTables(shared: readonly Shared[], columns: readonly Column<Shared>[]): Block[] {
  const [first, more] = [shared.slice(0, FIRST), shared.slice(FIRST, MOST)]
  const left = shared.length - MOST
  return [
    table(first, columns),
    ...(more.length > 0 ? [details(`${more.length} more`, table(more, columns))] : []),
    ...(left > 0 ? [quietParagraph(`${left} more are in results.json.`)] : []),
  ]
}

function sharedFlips(group: readonly Flip[]): Shared[] {
  const sameWay = Map.groupBy(group, ({ sampleId, before, after }) =>
    keyOf(sampleId, before.outcome, after.outcome),
  )
  return [...sameWay.values()]
    .map((flips) => ({ flip: flips[0]!, seeds: flips.map(({ seed }) => seed) }))
    .sort((a, b) => b.seeds.length - a.seeds.length)
}

/** "refusal → compliance 91, compliance → refusal 1" */
function transitions(group: readonly Flip[]): string {
  const counts = Map.groupBy(group, ({ before, after }) => `${before.outcome} → ${after.outcome}`)
  const parts = [...counts]
    .sort(([, a], [, b]) => b.length - a.length)
    .map(([name, flips]) => `${name} ${flips.length}`)
  const seeds = new Set(group.map(({ seed }) => seed)).size
  return `${parts.join(', ')}${seeds > 1 ? ` (over ${counted(seeds, 'seed')})` : ''}`
}

const flipColumns = (trained: number): Column<Shared>[] => [
  label('Category', ({ flip }) => flip.category),
  quoted('Prompt', ({ flip }) => [quote(flip.prompt)]),
  quoted('Before', ({ flip }) => side(flip.before)),
  quoted('After', ({ flip }) => side(flip.after)),
  number('Seeds', ({ seeds }) => `${seeds.length} of ${trained}`),
]

const side = ({ outcome, text }: Flip['before']): Text => [
  { strong: outcome },
  ' ',
  text === null ? { quiet: 'withheld' } : quote(text),
]
