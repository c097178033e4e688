/** @file What methods do to the inner peak of a sweep, and what lies beside the test error. */
import type { Section } from '../../../contract/document.ts'
import type { Results } from '../../../contract/results.ts'
import type { PeakComparison } from '../../../contract/sweeps.ts'
import { counted } from '../../../contract/words.ts'
import { details, label, number, paragraph, quoted, section, table } from '../../blocks.ts'
import { significant } from '../../view.ts'
import { besideFigures } from '../../charts/beside-figures.ts'
import { claimOf } from '../../charts/sweep-figures.ts'

export function peakEffectSection({ sweep }: Results): Section[] {
  const comparisons = sweep?.comparisons ?? []
  if (!sweep || comparisons.length === 0) return []
  return section(
    'What the methods do to the peak',
    paragraph(
      'The height of a curve’s inner peak is counted seed by seed above the highest curve below it that falls and then rises, and compared over the same seeds; a difference below 0 is a lower peak. “Found” and “opposite” have p ≤ 0.05 after Holm’s correction over the comparisons of the measure; “not found” means that the whole interval lies within a quarter of the peak it is held against. The smallest difference is what these seeds would have shown with a chance of 80 %.',
    ),
    [...Map.groupBy(comparisons, ({ metric }) => metric)].map(([metric, rows]) => {
      const title = sweep.metrics.find(({ name }) => name === metric)?.title ?? metric
      return details(`${title}: ${counted(rows.length, 'comparison')}`, effectTable(rows))
    }),
  )
}

const effectTable = (rows: readonly PeakComparison[]) =>
  table(rows, [
    label('Claim', claimOf),
    quoted('Outcome', ({ outcome }) => outcome),
    number('Seeds', ({ seeds }) => seeds),
    number('Height', ({ height }) => significant(height.own, 3)),
    number('Held against', ({ height }) => significant(height.against, 3)),
    number('Difference', ({ height }) => intervalOf(height)),
    number('p (Holm)', ({ height }) => significant(height.pValue, 2)),
    number('Smallest difference', ({ height }) => significant(height.smallest, 3)),
    number('Shift of the place', ({ place }) => intervalOf(place)),
    number('Difference of the area', ({ area }) => intervalOf(area)),
  ])

const intervalOf = ({ difference, lower, upper }: PeakComparison['height']): string =>
  `${significant(difference, 3)} (${significant(lower, 3)} to ${significant(upper, 3)})`

export function besideSection({ sweep }: Results): Section[] {
  const figures = sweep ? besideFigures(sweep) : []
  if (figures.length === 0) return []
  return section(
    'Beside the test error',
    paragraph(
      'Medians over seeds, each as a share of its largest along the axis: sharpness of the training loss (largest eigenvalue and trace of its Hessian in the adapted weights), the norm of these weights, and effective rank and intruder dimensions of their change.',
    ),
    figures.map(({ chart }) => chart),
  )
}
