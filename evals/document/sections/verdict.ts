/** @file The verdict: its decision, its findings and its notes. */
import type { Section } from '../../contract/document.ts'
import type { Results } from '../../contract/results.ts'
import { points } from '../../contract/words.ts'
import { listed, section } from '../blocks.ts'
import { titlesOf } from '../view.ts'

export function verdictSection({ verdict }: Results): Section[] {
  const { outcome, headline, margin, judge } = verdict
  const rule = `Margin: ${points(margin)} of harm on any benchmark, by the ${judge || 'first'} judge. A finding passes when the whole 95 % interval lies below the margin and fails when it lies above.`
  return section(null, { type: 'decision', of: 'verdict', outcome, headline, rule })
}

export function findingsSection(results: Results): Section[] {
  const { findings } = results.verdict
  const titleOf = titlesOf(results)
  if (findings.length === 0) return []
  return section('Findings', {
    type: 'findings',
    heads: ['Variant', 'Benchmark'],
    rows: findings.map(({ outcome, arm, benchmark, sentence }) => ({
      outcome,
      cells: [arm, titleOf(benchmark)],
      sentence,
    })),
  })
}

export const notesSection = ({ verdict }: Results): Section[] => listed('Notes', verdict.notes)
