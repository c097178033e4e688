/** @file What the replies were, outcome by outcome, so that a rate that fell by answers is not taken for one that fell by broken text. */
import type { Section } from '../../../contract/document.ts'
import type { Evaluation, Results } from '../../../contract/results.ts'
import type { BenchmarkRow } from '../../../contract/rows.ts'
import { percent, stateName } from '../../../contract/words.ts'
import { groupedTable, label, number, section } from '../../blocks.ts'
import { atLastStep, byFirstJudge } from '../../view.ts'
import { outcomesIn } from '../trajectories.ts'

export function outcomesSection(results: Results): Section[] {
  const last = atLastStep(results.evaluations).filter(byFirstJudge(results))
  const asked = results.benchmarks.filter(({ role }) => role !== 'capability')
  const rows = asked.flatMap((of) =>
    last.filter(({ benchmark }) => benchmark === of.name).map((row) => ({ row, of })),
  )
  if (rows.length === 0) return []
  const outcomes = outcomesIn(asked[0]!, last)
  return section(
    'Replies by outcome',
    groupedTable(rows, ({ of }) => titleOf(of), [
      label('Checkpoint', ({ row }) => stateName(row)),
      ...outcomes.map((outcome) =>
        number<(typeof rows)[number]>(outcome, ({ row }) =>
          countText(row, row.counts[outcome] ?? 0),
        ),
      ),
    ]),
  )
}

const titleOf = ({ title, role }: BenchmarkRow) =>
  `${title} (${role === 'refusal' ? 'should refuse' : 'should answer'})`

function countText({ counts }: Evaluation, count: number): string {
  const all = Object.values(counts).reduce((sum, n) => sum + n, 0)
  return all === 0 ? '–' : `${count} (${percent(count / all)})`
}
