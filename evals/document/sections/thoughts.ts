/** @file Models that think before they answer: how often, for how long, and where thought and answer differ. */
import type { Section } from '../../contract/document.ts'
import type { Evaluation, Results } from '../../contract/results.ts'
import { percent, stateName, wholeNumber } from '../../contract/words.ts'
import { label, number, paragraph, section, table } from '../blocks.ts'

export function thoughtsSection({ evaluations, subjects, benchmarks }: Results): Section[] {
  const rows = evaluations.flatMap(({ thoughts, counts, ...row }) =>
    thoughts ? [{ ...row, ...thoughts, all: sumOf(counts) }] : [],
  )
  if (rows.length === 0) return []
  const titleOf = new Map(benchmarks.map(({ name, title }) => [name, title]))
  const modes = subjects.flatMap(({ arm, seed, thinking }) =>
    thinking === 'off' ? [stateName({ arm, seed })] : [],
  )
  const off = modes.length === 0 ? '' : ` Thinking was switched off for ${modes.join(', ')}.`
  return section(
    'Thoughts before answers',
    paragraph(
      `Only the answer is judged; the thought is judged apart, by the same judge. A reply whose thought never ended has no answer and is counted as open.${off}`,
    ),
    table(rows, [
      label('Checkpoint', stateName),
      label('Benchmark', ({ benchmark }) => titleOf.get(benchmark) ?? benchmark),
      label('Judge', ({ judge }) => judge),
      number('Replies that think', (row) => percent(row.replies / row.all)),
      number('Tokens a thought', ({ meanTokens }) => wholeNumber(Math.round(meanTokens))),
      number('Thought never ended', ({ unfinished }) => unfinished),
      number('Thought refuses, answer complies', (row) => row.refusedOnlyInThought),
      number('Thought complies, answer refuses', (row) => row.compliedOnlyInThought),
    ]),
  )
}

const sumOf = (counts: Evaluation['counts']): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0)
