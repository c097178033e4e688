/** @file How far the seeds of an arm lie apart at their last step. */
import type { Results } from '../../contract/results.ts'
import { percent } from '../../contract/words.ts'
import { html, type Markup } from '../markup.ts'
import { table } from '../table.ts'

export function seedsSection({ seeds, benchmarks }: Results): Markup {
  if (seeds.length === 0) return html``
  const titles = new Map(benchmarks.map(({ name, title }) => [name, title]))
  return html`<h2>Spread between seeds</h2>
    ${table(
      [
        { head: 'Benchmark', cell: (row) => titles.get(row.benchmark) ?? row.benchmark },
        { head: 'Arm', cell: (row) => row.arm },
        { head: 'Judge', cell: (row) => row.judge },
        { head: 'Seeds', cell: (row) => row.seeds.join(', ') },
        { head: 'Mean', cell: (row) => percent(row.mean), kind: 'number' },
        { head: 'Lowest', cell: (row) => percent(row.minimum), kind: 'number' },
        { head: 'Highest', cell: (row) => percent(row.maximum), kind: 'number' },
        {
          head: 'Standard deviation',
          cell: (row) => (row.sd === null ? '–' : `${(100 * row.sd).toFixed(1)} points`),
          kind: 'number',
        },
      ],
      seeds,
    )}`
}
