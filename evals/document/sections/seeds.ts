/** @file How far the seeds of an arm lie apart at their last step. */
import type { Block, Section } from '../../contract/document.ts'
import type { Results } from '../../contract/results.ts'
import { percent } from '../../contract/words.ts'
import {
  groupedTable,
  label,
  listed,
  number,
  paragraph,
  section,
  subheading,
  table,
} from '../blocks.ts'
import { titlesOf } from '../view.ts'

export function seedsSection(results: Results): Section[] {
  const seeds = results.seeds.filter((row) => row.seeds.length > 1)
  const titleOf = titlesOf(results)
  if (seeds.length === 0) return []
  const spread = table(seeds, [
    label('Benchmark', ({ benchmark }) => titleOf(benchmark)),
    label('Variant', ({ arm }) => arm),
    label('Judge', ({ judge }) => judge),
    label('Seeds', (row) => row.seeds.join(', ')),
    number('Mean', ({ mean }) => percent(mean)),
    number('Lowest', ({ minimum }) => percent(minimum)),
    number('Highest', ({ maximum }) => percent(maximum)),
    number('Standard deviation', ({ sd }) => (sd === null ? '–' : pointsOf(sd))),
  ])
  return section('Spread between seeds', spread, varianceBlocks(results))
}

/** For the Markdown card: the error of one further training in a sentence for each arm and benchmark. */
export function betweenSeeds({ variance }: Results): Section[] {
  const lines = variance.map(
    ({ arm, benchmark, seeds, samples, sample, standardErrorOverSeeds: error }) =>
      `${arm} on ${benchmark}, ${seeds.length} seeds: one further training's rate on these prompts has a standard error of ${pointsOf(error)}${sample === null ? '' : `; of a reply's variance ${sample.toFixed(4)} lies between the ${samples} samples of a prompt`}.`,
  )
  return listed('Between seeds', lines)
}

const pointsOf = (share: number) => `${(100 * share).toFixed(1)} points`

/** σ in points; an estimate below 0 is shown as it came out, as a variance. */
const sigma = (variance: number): string =>
  variance < 0 ? `below 0 (σ² ${variance.toExponential(1)})` : pointsOf(Math.sqrt(variance))

function varianceBlocks(results: Results): Block[] {
  const { variance } = results
  if (variance.length === 0) return []
  const titleOf = titlesOf(results)
  const once = variance.some(({ sample }) => sample === null)
    ? ' Each prompt was answered once, without sampling, so chance in decoding cannot be told from the interaction, which holds both.'
    : ''
  return [
    subheading('Where the variance comes from'),
    paragraph(
      `Standard deviations of one reply’s score (counted or not) over trainings, prompts and their interaction, from mean squares of the whole table seed × prompt. The last column is the standard error of the rate on these very prompts from one further training.${once}`,
    ),
    groupedTable(variance, ({ benchmark }) => titleOf(benchmark), [
      label('Variant', ({ arm }) => arm),
      number('Seeds', ({ seeds }) => seeds.length),
      number(
        'Prompts (left out)',
        ({ prompts, droppedPrompts }) => `${prompts} (${droppedPrompts})`,
      ),
      number('Between seeds', ({ seed }) => sigma(seed)),
      number('Between prompts', ({ prompt }) => sigma(prompt)),
      number('Seed × prompt', ({ seedByPrompt }) => sigma(seedByPrompt)),
      number('Between samples', ({ sample }) =>
        sample === null ? 'not told apart' : sigma(sample),
      ),
      number('Of a rate', ({ standardErrorOverSeeds }) => pointsOf(standardErrorOverSeeds)),
    ]),
  ]
}
