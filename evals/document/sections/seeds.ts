/** @file How far the seeds of an arm lie apart at their last step. */
import type { Results, VarianceSplit } from '../../contract/results.ts'
import { percent } from '../../contract/words.ts'
import { html, type Markup } from '../markup.ts'
import { groupedTable, table } from '../table.ts'

export function seedsSection({ seeds, benchmarks, variance }: Results): Markup {
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
    )}
    ${variance.length > 0 && varianceTable(variance, (name) => titles.get(name) ?? name)}`
}

/** σ in points; what was estimated below 0 is shown as it came out, as a variance. */
const sigma = (variance: number): string =>
  variance < 0
    ? `below 0 (σ² ${variance.toExponential(1)})`
    : `${(100 * Math.sqrt(variance)).toFixed(1)} points`

function varianceTable(rows: readonly VarianceSplit[], titleOf: (name: string) => string): Markup {
  const isOnce = rows.some(({ sample }) => sample === null)
  return html`<h3>Where the variance comes from</h3>
    <p>
      Standard deviations of one reply’s score (counted or not) over trainings, prompts and their
      interaction, from mean squares of the whole table seed × prompt. The last column is the
      standard error of the rate on these very prompts from one further training.
      ${
        isOnce &&
        'Each prompt was answered once, without sampling, so chance in decoding cannot be told from the interaction, which holds both.'
      }
    </p>
    ${groupedTable<VarianceSplit>(
      [
        { head: 'Arm', cell: ({ arm }) => arm },
        { head: 'Seeds', cell: ({ seeds }) => seeds.length, kind: 'number' },
        {
          head: 'Prompts (left out)',
          cell: ({ prompts, droppedPrompts }) => `${prompts} (${droppedPrompts})`,
          kind: 'number',
        },
        { head: 'Between seeds', cell: ({ seed }) => sigma(seed), kind: 'number' },
        { head: 'Between prompts', cell: ({ prompt }) => sigma(prompt), kind: 'number' },
        { head: 'Seed × prompt', cell: ({ seedByPrompt }) => sigma(seedByPrompt), kind: 'number' },
        {
          head: 'Between samples',
          cell: ({ sample }) => (sample === null ? 'not told apart' : sigma(sample)),
          kind: 'number',
        },
        {
          head: 'Of a rate',
          cell: ({ standardErrorOverSeeds: error }) => `${(100 * error).toFixed(1)} points`,
          kind: 'number',
        },
      ],
      rows,
      ({ benchmark }) => titleOf(benchmark),
    )}`
}
