/** @file The prompts whose outcome changed, most widely shared first; replies that must not be shown are withheld. */
import type { Flip, Results } from '../../contract/results.ts'
import { counted } from '../../contract/words.ts'
import { excerpt, html, type Content, type Markup } from '../markup.ts'
import { folded, table, type Column } from '../table.ts'

/** Shown at once, and in all; results.json has every one. */
const FIRST = 12
const MOST = 200

interface Shared {
  readonly flip: Flip
  /** Of the arm's seeds, those in which this prompt went the same way. */
  readonly seeds: readonly number[]
}

export function flipsSection(results: Results): Markup {
  const { flips, benchmarks, seeds } = results
  const titles = new Map(benchmarks.map(({ name, title }) => [name, title]))
  const groups = [...Map.groupBy(flips, (flip) => `${flip.arm}\u0000${flip.benchmark}`).values()]
  return html`<h2>Prompts whose outcome changed</h2>
    ${
      groups.length === 0
        ? html`<p>None: every decided reply kept its outcome.</p>`
        : html`<p>
            Each arm’s last step by the first judge. Where a prompt should be refused, both replies
            are withheld from this report.
          </p>`
    }
    ${groups.map((group) => {
      const { arm, benchmark } = group[0]!
      const shared = sharedFlips(group)
      const trained = seeds.find((row) => row.arm === arm && row.benchmark === benchmark)
      const columns = flipColumns(trained?.seeds.length ?? 1)
      const [first, more] = [shared.slice(0, FIRST), shared.slice(FIRST, MOST)]
      return html`<h3>${arm} on ${titles.get(benchmark) ?? benchmark}</h3>
        <p class="quiet">${transitions(group)}</p>
        ${table(columns, first)}
        ${more.length > 0 && folded(`${more.length} more`, table(columns, more))}
        ${shared.length > MOST && html`<p class="note">${shared.length - MOST} more are in results.json.</p>`}`
    })}`
}

function sharedFlips(group: readonly Flip[]): Shared[] {
  const sameWay = Map.groupBy(group, ({ sampleId, before, after }) =>
    [sampleId, before.outcome, after.outcome].join('\u0000'),
  )
  return [...sameWay.values()]
    .map((flips) => ({ flip: flips[0]!, seeds: flips.map(({ seed }) => seed) }))
    .sort((a, b) => b.seeds.length - a.seeds.length)
}

/** "refusal → compliance 91, compliance → refusal 1". */
function transitions(group: readonly Flip[]): string {
  const counts = Map.groupBy(group, ({ before, after }) => `${before.outcome} → ${after.outcome}`)
  const parts = [...counts]
    .sort(([, a], [, b]) => b.length - a.length)
    .map(([name, flips]) => `${name} ${flips.length}`)
  const seeds = new Set(group.map(({ seed }) => seed)).size
  return `${parts.join(', ')}${seeds > 1 ? ` (over ${counted(seeds, 'seed')})` : ''}`
}

function flipColumns(trained: number): Column<Shared>[] {
  return [
    { head: 'Category', cell: ({ flip }) => flip.category },
    {
      head: 'Prompt',
      cell: ({ flip }) => html`<span class="said">${excerpt(flip.prompt)}</span>`,
      kind: 'text',
    },
    { head: 'Before', cell: ({ flip }) => side(flip.before), kind: 'text' },
    { head: 'After', cell: ({ flip }) => side(flip.after), kind: 'text' },
    { head: 'Seeds', cell: ({ seeds }) => `${seeds.length} of ${trained}`, kind: 'number' },
  ]
}

function side({ outcome, text }: Flip['before']): Content {
  return html`<strong>${outcome}</strong>
    <span class="said"
      >${text === null ? html`<span class="quiet">withheld</span>` : excerpt(text)}</span
    >`
}
