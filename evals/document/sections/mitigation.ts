/** @file Intruders scaled down, beside controls: what came back of refusal, capability and neutral text, and at what cost. */
import type { Mitigation } from '../../contract/mitigation.ts'
import type { MitigationArm, Results } from '../../contract/results.ts'
import type { BenchmarkRow } from '../../contract/rows.ts'
import { percent, signedNats, signedPoints } from '../../contract/words.ts'
import { html, type Markup } from '../markup.ts'
import { folded, table, type Column } from '../table.ts'
import { firstJudge, stateName } from '../view.ts'

const FORM_TEXT: Readonly<Record<Mitigation, string>> = {
  paper: 'highest intruder',
  peft: 'all intruders (PEFT’s form)',
  shrink: 'control: whole change shrunk',
  neighbour: 'control: neighbour scaled',
}

export function mitigationSection({ mitigation, benchmarks }: Results): Markup {
  if (mitigation.length === 0) return html``
  const groups = [...Map.groupBy(mitigation, stateName)]
  return html`<h2>Intruders scaled down</h2>
    <p>
      In each matrix with an intruder its singular value is multiplied by λ: 1 changes nothing, 0
      removes the direction. Two controls go with it: the whole change of that matrix shrunk to the
      same size, and the nearest direction that is no intruder scaled instead. Scaling has helped
      where it gives back more than shrinking does; one study of a real model found no such gain.
      Every change is against the fine-tune itself, on the same prompts, each interval by itself and
      not corrected for their number. No weights were kept.
    </p>
    ${groups.map(([name, arms]) => panel(name, arms, benchmarks))}`
}

function panel(
  name: string,
  arms: readonly MitigationArm[],
  benchmarks: readonly BenchmarkRow[],
): Markup {
  return html`${table<MitigationArm>(
    [...what(arms), ...benchmarks.map(changeOn), forgetting],
    arms,
    `${name}: change against the unmitigated fine-tune, points with 95 % interval (Newcombe, paired)`,
  )}
  ${folded(
    `${name}: rates`,
    table<MitigationArm>([...what(arms), ...benchmarks.map(rateOn)], arms),
  )}`
}

const what = (arms: readonly MitigationArm[]): Column<MitigationArm>[] => [
  { head: 'λ', cell: ({ lambda }) => String(lambda), kind: 'number' },
  { head: 'What is scaled', cell: ({ form }) => FORM_TEXT[form] },
  {
    head: `Matrices of ${arms[0]!.ofMatrices}`,
    cell: ({ matrices }) => matrices,
    kind: 'number',
  },
  { head: 'Directions', cell: ({ directions }) => directions, kind: 'number' },
  { head: '‖ΔW‖ kept', cell: ({ changeKept }) => percent(changeKept), kind: 'number' },
]

const changeOn = (benchmark: BenchmarkRow): Column<MitigationArm> => ({
  head: benchmark.title,
  cell: ({ comparisons }) => {
    const row = comparisons.find(
      ({ benchmark: name, judge }) => name === benchmark.name && judge === firstJudge(benchmark),
    )
    return row ? changeText(row) : '–'
  },
  kind: 'number',
})

/** The contract's difference is before − after; a reader expects after − before. */
const changeText = ({ difference, lower, upper }: MitigationArm['comparisons'][number]): string =>
  difference === null || lower === null || upper === null
    ? '–'
    : `${signedPoints(-difference)} (${signedPoints(-upper)} to ${signedPoints(-lower)})`

const rateOn = (benchmark: BenchmarkRow): Column<MitigationArm> => ({
  head: benchmark.title,
  cell: ({ rates }) => {
    const found = rates.find(
      ({ benchmark: name, judge }) => name === benchmark.name && judge === firstJudge(benchmark),
    )
    return found?.rate.estimate == null ? '–' : percent(found.rate.estimate)
  },
  kind: 'number',
})

const forgetting: Column<MitigationArm> = {
  head: 'Neutral loss, nats',
  cell: ({ neutral: { estimate, lower, upper } }) =>
    estimate === null || lower === null || upper === null
      ? '–'
      : `${signedNats(estimate)} (${signedNats(lower)} to ${signedNats(upper)})`,
  kind: 'number',
}
