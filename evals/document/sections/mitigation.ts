/** @file Intruders scaled down, beside controls: what came back of refusal, capability and neutral text, and at what cost. */
import type { Block, Section } from '../../contract/document.ts'
import type { Mitigation } from '../../contract/mitigation.ts'
import type { MitigationArm, Results } from '../../contract/results.ts'
import type { BenchmarkRow } from '../../contract/rows.ts'
import { percent, signedNats, stateName } from '../../contract/words.ts'
import { firstJudge } from '../../contract/keys.ts'
import { details, label, number, paragraph, section, table, type Column } from '../blocks.ts'
import { changeWithInterval, shareText } from '../view.ts'

const FORM_TEXT: Readonly<Record<Mitigation, string>> = {
  paper: 'highest intruder',
  peft: 'all intruders (PEFT’s form)',
  shrink: 'control: whole change shrunk',
  neighbour: 'control: neighbour scaled',
}

export function mitigationSection({ mitigation, benchmarks }: Results): Section[] {
  if (mitigation.length === 0) return []
  return section(
    'Intruders scaled down',
    paragraph(
      'In each matrix with an intruder its singular value is multiplied by λ: 1 changes nothing, 0 removes the direction. Two controls go with it: the whole change of that matrix shrunk to the same size, and the nearest direction that is no intruder scaled instead. Scaling has helped where it gives back more than shrinking does; one study of a real model found no such gain. Every change is against the fine-tune itself, on the same prompts, each interval by itself and not corrected for their number. No weights were kept.',
    ),
    [...Map.groupBy(mitigation, stateName)].flatMap(([name, arms]) =>
      panel(name, arms, benchmarks),
    ),
  )
}

const panel = (
  name: string,
  arms: readonly MitigationArm[],
  benchmarks: readonly BenchmarkRow[],
): Block[] => [
  table(
    arms,
    [...what(arms), ...benchmarks.map(changeOn), forgetting],
    `${name}: change against the unmitigated fine-tune, points with 95 % interval (Newcombe, paired)`,
  ),
  details(`${name}: rates`, table(arms, [...what(arms), ...benchmarks.map(rateOn)])),
]

const what = (arms: readonly MitigationArm[]): Column<MitigationArm>[] => [
  number('λ', ({ lambda }) => lambda),
  label('What is scaled', ({ form }) => FORM_TEXT[form]),
  number(`Matrices of ${arms[0]!.ofMatrices}`, ({ matrices }) => matrices),
  number('Directions', ({ directions }) => directions),
  number('‖ΔW‖ kept', ({ changeKept }) => percent(changeKept)),
]

const isOf =
  (benchmark: BenchmarkRow) => (row: { readonly benchmark: string; readonly judge: string }) =>
    row.benchmark === benchmark.name && row.judge === firstJudge(benchmark)

const changeOn = (benchmark: BenchmarkRow): Column<MitigationArm> =>
  number(benchmark.title, ({ comparisons }) => {
    const row = comparisons.find(isOf(benchmark))
    return row ? changeWithInterval(row) : '–'
  })

const rateOn = (benchmark: BenchmarkRow): Column<MitigationArm> =>
  number(benchmark.title, ({ rates }) =>
    shareText(rates.find(isOf(benchmark))?.rate.estimate ?? null),
  )

const forgetting: Column<MitigationArm> = number(
  'Neutral loss, nats',
  ({ neutral: { estimate, lower, upper } }) =>
    estimate === null || lower === null || upper === null
      ? '–'
      : `${signedNats(estimate)} (${signedNats(lower)} to ${signedNats(upper)})`,
)
