/** @file How far the judges can be trusted: against each other, against people, and rates corrected for their errors. */
import type {
  CorrectedChange,
  CorrectedRate,
  JudgeAgreement,
  JudgeQuality,
  Measure,
  People,
  Rate,
  Results,
} from '../../contract/results.ts'
import { listed, percent, signedPoints } from '../../contract/words.ts'
import { html, prose, type Content, type Markup } from '../markup.ts'
import { folded, groupedTable, table, type Column } from '../table.ts'
import { atLastStep, firstJudge, fixed, intervalText, rateText, stateName } from '../view.ts'

export function judgesSection(results: Results): Markup {
  const { people, evaluations } = results
  if (evaluations.length === 0) return html``
  return html`<h2>How far the judges can be trusted</h2>
    ${
      people
        ? peopleText(results, people)
        : html`<p>
            No reply of this run was labelled by people, so no rate here is corrected for its
            judge’s errors (<code>touchstone label</code>).
          </p>`
    }
    ${agreementText(results)}`
}

type Titles = (benchmark: string) => string
const titlesOf = ({ benchmarks }: Results): Titles => {
  const titles = new Map(benchmarks.map(({ name, title }) => [name, title]))
  return (benchmark) => titles.get(benchmark) ?? benchmark
}

const MEASURE_TEXT: Readonly<Record<Measure, string>> = { rate: 'rate', attack: 'attack rate' }

const share = (rate: Rate): string =>
  rate.estimate === null ? 'not labelled' : `${rateText(rate)} (${intervalText(rate)}; ${rate.n})`

function peopleText(results: Results, people: People): Content {
  const titleOf = titlesOf(results)
  const { labelled, raters, alpha, kappas, tied, judges, rates, changes } = people
  const firsts = new Map(results.benchmarks.map((row) => [row.name, firstJudge(row)]))
  const isFirst = (row: { benchmark: string; judge: string }) =>
    row.judge === firsts.get(row.benchmark)
  const main = atLastStep(rates).filter(isFirst)
  const mainChanges = atLastStep(changes).filter(isFirst)
  const between = [
    ...(alpha === null ? [] : [`Krippendorff’s α between them is ${fixed(alpha, 3)}.`]),
    ...kappas
      .filter(({ kappa }) => kappa !== null)
      .map(
        ({ raters: [a, b], n, kappa }) =>
          `Cohen’s κ of ${a} and ${b} is ${fixed(kappa, 3)} on ${n} replies.`,
      ),
    ...(tied > 0 ? [`On ${tied} no outcome had most raters; they count nowhere.`] : []),
  ]
  return html`<p>
      ${prose(`People (${listed(raters)}) labelled ${labelled} replies without knowing model state or judge. ${between.join(' ')}`)}
    </p>
    ${groupedTable(qualityColumns, judges, ({ benchmark }) => titleOf(benchmark))}
    <p>
      Corrected rates (Rogan and Gladen; interval of Lang and Reiczigel) take a judge’s errors to be
      the same in every model state and the labelled replies to be like the others; their intervals
      carry the uncertainty of the labels. The attack rate is the share of prompts that should be
      refused and were answered, wholly or in part.
    </p>
    ${groupedTable(correctedColumns, main, ({ benchmark }) => titleOf(benchmark))}
    ${
      rates.length > main.length &&
      folded(
        `All ${rates.length} rates: every step, every judge`,
        groupedTable(
          [
            { head: 'Step', cell: ({ step }: CorrectedRate) => step, kind: 'number' },
            { head: 'Judge', cell: ({ judge }: CorrectedRate) => judge },
            ...correctedColumns,
          ],
          rates,
          ({ benchmark }) => titleOf(benchmark),
        ),
      )
    }
    ${
      mainChanges.length > 0 &&
      html`<p>
          The same of changes on the same prompts: the change as judged over sensitivity +
          specificity − 1, since what a judge calls positive by error stands on both sides. The
          verdict and the gate rest on changes as judged.
        </p>
        ${groupedTable(changeColumns, mainChanges, ({ benchmark }) => titleOf(benchmark))}`
    }`
}

const qualityColumns: Column<JudgeQuality>[] = [
  { head: 'Judge', cell: ({ judge }) => judge },
  { head: 'Of the', cell: ({ measure }) => MEASURE_TEXT[measure] },
  {
    head: 'Sensitivity (95 %; labels)',
    cell: ({ sensitivity }) => share(sensitivity),
    kind: 'number',
  },
  {
    head: 'Specificity (95 %; labels)',
    cell: ({ specificity }) => share(specificity),
    kind: 'number',
  },
]

const correctedColumns: Column<CorrectedRate>[] = [
  { head: 'Model state', cell: (row) => stateName(row) },
  { head: 'Of the', cell: ({ measure }) => MEASURE_TEXT[measure] },
  { head: 'Reported', cell: ({ reported }) => rateText(reported), kind: 'number' },
  {
    head: 'Corrected',
    cell: ({ corrected }) => (corrected ? percent(corrected.estimate) : '–'),
    kind: 'number',
  },
  {
    head: '95 % interval',
    cell: ({ corrected, refused }) =>
      corrected
        ? `${percent(corrected.lower)} – ${percent(corrected.upper)}`
        : prose(`Not corrected: ${refused ?? ''}`),
  },
]

/** The contract's difference is before − after; a reader expects after − before. */
const turned = ({ lower, upper }: { lower: number; upper: number }) =>
  `${signedPoints(-upper)} to ${signedPoints(-lower)}`

const changeColumns: Column<CorrectedChange>[] = [
  { head: 'Model state', cell: (row) => stateName(row) },
  { head: 'Change of the', cell: ({ measure }) => MEASURE_TEXT[measure] },
  {
    head: 'As judged (points)',
    cell: ({ reported }) => `${signedPoints(-reported.estimate)} (${turned(reported)})`,
    kind: 'number',
  },
  {
    head: 'Corrected (points)',
    cell: ({ corrected }) => (corrected ? signedPoints(-corrected.estimate) : '–'),
    kind: 'number',
  },
  {
    head: '95 % interval',
    cell: ({ corrected, refused }) =>
      corrected ? turned(corrected) : prose(`Not corrected: ${refused ?? ''}`),
  },
]

interface Pair {
  readonly benchmark: string
  readonly judges: string
  readonly rows: readonly JudgeAgreement[]
}

/** Over the base and every last step: the lowest and the highest. */
function agreementText(results: Results): Content {
  const titleOf = titlesOf(results)
  const last = atLastStep(results.agreement)
  if (last.length === 0) return false
  const groups = Map.groupBy(last, ({ benchmark, judges }) => [benchmark, ...judges].join('\u0000'))
  const pairs = [...groups.values()].map((rows): Pair => ({
    benchmark: rows[0]!.benchmark,
    judges: listed(rows[0]!.judges),
    rows,
  }))
  const alphas = atLastStep(results.judgesTogether)
  const range = (values: readonly (number | null)[], digits: number) => {
    const known = values.filter((value) => value !== null)
    if (known.length === 0) return 'nothing varies'
    const [low, high] = [Math.min(...known), Math.max(...known)].map((x) => fixed(x, digits))
    return low === high ? low! : `${low} – ${high}`
  }
  return html`<h3>Judges against each other</h3>
    ${groupedTable<Pair>(
      [
        { head: 'Judges', cell: ({ judges }) => judges },
        {
          head: 'Agree on',
          cell: ({ rows }) => {
            const shares = rows.filter(({ n }) => n > 0).map(({ agreed, n }) => agreed / n)
            return shares.length === 0
              ? '–'
              : `${percent(Math.min(...shares))} – ${percent(Math.max(...shares))}`
          },
          kind: 'number',
        },
        {
          head: 'Cohen’s κ',
          cell: ({ rows }) =>
            range(
              rows.map(({ kappa }) => kappa),
              3,
            ),
          kind: 'number',
        },
      ],
      pairs,
      ({ benchmark }) => titleOf(benchmark),
    )}
    ${table(
      [
        { head: 'All judges of', cell: ([benchmark]) => titleOf(benchmark) },
        {
          head: 'Krippendorff’s α',
          cell: ([, rows]) =>
            range(
              rows.map(({ alpha }) => alpha),
              3,
            ),
          kind: 'number',
        },
      ],
      [...Map.groupBy(alphas, ({ benchmark }) => benchmark)],
      'Lowest and highest over the base and each training’s last step.',
    )}`
}
