/** @file How far the judges can be trusted: against each other, against people, and rates corrected for their errors. */
import type { Block, Section } from '../../contract/document.ts'
import type {
  CorrectedChange,
  CorrectedRate,
  JudgeAgreement,
  JudgeQuality,
  Measure,
  PairedLabels,
  People,
  Rate,
  Results,
} from '../../contract/results.ts'
import { listed, percent, pValueText, signedPoints, stateName } from '../../contract/words.ts'
import { keyOf } from '../../contract/keys.ts'
import {
  details,
  groupedTable,
  label,
  number,
  paragraph,
  section,
  subheading,
  table,
  type Column,
} from '../blocks.ts'
import {
  atLastStep,
  byFirstJudge,
  changeInterval,
  fixed,
  intervalText,
  rateText,
  titlesOf,
} from '../view.ts'

const NOBODY =
  'No reply of this run was labelled by people, so no rate here is corrected for its judge’s errors'

export function judgesSection(results: Results): Section[] {
  const { people, evaluations } = results
  if (evaluations.length === 0) return []
  return section(
    'How far the judges can be trusted',
    people
      ? peopleBlocks(results, people)
      : paragraph([`${NOBODY} (`, { code: 'touchstone label' }, ').']),
    agreementBlocks(results),
  )
}

/** For the Markdown card: corrected rates and changes at last steps, by first judges. */
export function correctedSection(results: Results): Section[] {
  const { people } = results
  const heading = 'Corrected for the judges’ errors'
  if (!people) return section(heading, paragraph(`${NOBODY}.`))
  const by = `${people.labelled} replies were labelled by ${listed(people.raters)}.`
  const { rates, changes } = correctedTables(results, people)
  return section(heading, paragraph(by), rates, changes ?? [])
}

const MEASURE_TEXT: Readonly<Record<Measure, string>> = { rate: 'rate', attack: 'attack rate' }

type OfBenchmark = { readonly benchmark: string }

const byTitle = (results: Results) => {
  const titleOf = titlesOf(results)
  return ({ benchmark }: OfBenchmark) => titleOf(benchmark)
}

/** At last steps by first judges; no table of changes where there are none. */
function correctedTables(results: Results, people: People) {
  const isFirst = byFirstJudge(results)
  const rates = atLastStep(people.rates).filter(isFirst)
  const changes = atLastStep(people.changes).filter(isFirst)
  return {
    count: rates.length,
    rates: groupedTable(rates, byTitle(results), correctedColumns),
    changes: changes.length > 0 && groupedTable(changes, byTitle(results), changeColumns),
  }
}

function peopleBlocks(results: Results, people: People): Block[] {
  const { count, rates, changes } = correctedTables(results, people)
  const all = groupedTable(people.rates, byTitle(results), [
    number('Step', ({ step }) => step),
    label('Judge', ({ judge }) => judge),
    ...correctedColumns,
  ])
  return [
    paragraph(ratersText(people)),
    groupedTable(people.judges, byTitle(results), qualityColumns),
    paragraph(
      'Corrected rates (Rogan and Gladen; interval of Lang and Reiczigel) take a judge’s errors to be the same in every checkpoint and the labelled replies to be like the others; their intervals carry the uncertainty of the labels. The attack rate is the share of prompts that should be refused and were answered, wholly or in part.',
    ),
    ...pairedBlocks(results, people),
    rates,
    people.rates.length > count &&
      details(`All ${people.rates.length} rates: every step, every judge`, all),
    changes &&
      paragraph(
        'The same of changes on the same prompts: the change as judged over sensitivity + specificity − 1, since what a judge calls positive by error stands on both sides. They assume that the judge errs alike before and after.',
      ),
    changes,
  ].filter((block) => block !== false)
}

/** At last steps: the gate decides by these. */
function pairedBlocks(results: Results, { paired = [] }: People): (Block | false)[] {
  const rows = atLastStep(paired)
  if (rows.length === 0) return []
  return [
    paragraph(
      'Where both replies to prompts drawn at random within the judge’s verdicts are labelled, the judge may err differently before and after: the change is corrected for both, with the uncertainty of the labels and of the prompts (stratified labels, exact limits), and a claim of the gate rests on it. p is Fisher’s exact, that the errors are alike. PPI++ is shown for comparison.',
    ),
    groupedTable(rows, byTitle(results), pairedColumns),
  ]
}

function ratersText({ labelled, raters, alpha, kappas, tied }: People): string {
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
  return `People (${listed(raters)}) labelled ${labelled} replies without knowing checkpoint or judge. ${between.join(' ')}`
}

const share = (rate: Rate): string =>
  rate.estimate === null ? 'not labelled' : `${rateText(rate)} (${intervalText(rate)}; ${rate.n})`

const qualityColumns: Column<JudgeQuality>[] = [
  label('Judge', ({ judge }) => judge),
  label('Of the', ({ measure }) => MEASURE_TEXT[measure]),
  number('Sensitivity (95 %; labels)', ({ sensitivity }) => share(sensitivity)),
  number('Specificity (95 %; labels)', ({ specificity }) => share(specificity)),
]

const refusedText = ({ refused }: { readonly refused: string | null }) =>
  `Not corrected: ${refused ?? ''}`

const correctedColumns: Column<CorrectedRate>[] = [
  label('Checkpoint', stateName),
  label('Of the', ({ measure }) => MEASURE_TEXT[measure]),
  number('Reported', ({ reported }) => rateText(reported)),
  number('Corrected', ({ corrected }) => (corrected ? percent(corrected.estimate) : '–')),
  label('95 % interval', (row) => (row.corrected ? intervalText(row.corrected) : refusedText(row))),
]

const changeColumns: Column<CorrectedChange>[] = [
  label('Checkpoint', stateName),
  label('Change of the (points)', ({ measure }) => MEASURE_TEXT[measure]),
  number(
    'As judged',
    ({ reported }) => `${signedPoints(-reported.estimate)} (${changeInterval(reported)})`,
  ),
  number('Corrected', ({ corrected }) => (corrected ? signedPoints(-corrected.estimate) : '–')),
  label('95 % interval', (row) =>
    row.corrected ? changeInterval(row.corrected) : refusedText(row),
  ),
]

const pairedColumns: Column<PairedLabels>[] = [
  label('Checkpoint', stateName),
  label('Judge', ({ judge }) => judge),
  number('Labelled', ({ labelled, prompts }) => `${labelled} of ${prompts}`),
  ...(['sensitivity', 'specificity'] as const).map((side) =>
    label<PairedLabels>(
      `${side === 'sensitivity' ? 'Sensitivity' : 'Specificity'} before; after (95 %; labels)`,
      ({ before, after, alike }) =>
        `${share(before[side])}; ${share(after[side])}; ${pValueText(alike[side])}`,
    ),
  ),
  number('Change, corrected (points)', ({ corrected }) => signedPoints(-corrected.estimate)),
  label('95 % interval', ({ corrected }) => changeInterval(corrected)),
  label('PPI++', ({ predictionPowered: found }) =>
    found ? `${signedPoints(-found.estimate)} (${changeInterval(found)})` : '–',
  ),
]

/** Lowest and highest over the base and every last step. */
function rangeOf(values: readonly (number | null)[], textOf: (value: number) => string): string {
  const known = values.filter((value) => value !== null)
  if (known.length === 0) return 'nothing varies'
  const [low, high] = [textOf(Math.min(...known)), textOf(Math.max(...known))]
  return low === high ? low : `${low} – ${high}`
}

const threeDigits = (value: number) => value.toFixed(3)

function agreedText(rows: readonly JudgeAgreement[]): string {
  const shares = rows.filter(({ n }) => n > 0).map(({ agreed, n }) => agreed / n)
  return shares.length === 0
    ? '–'
    : `${percent(Math.min(...shares))} – ${percent(Math.max(...shares))}`
}

function agreementBlocks(results: Results): Block[] {
  const last = atLastStep(results.agreement)
  if (last.length === 0) return []
  const titleOf = titlesOf(results)
  const pairs = Map.groupBy(last, ({ benchmark, judges }) => keyOf(benchmark, ...judges))
  const together = Map.groupBy(atLastStep(results.judgesTogether), ({ benchmark }) => benchmark)
  return [
    subheading('Judges against each other'),
    groupedTable([...pairs.values()], ([row]) => titleOf(row!.benchmark), [
      label('Judges', ([row]) => listed(row!.judges)),
      number('Agree on', agreedText),
      number('Cohen’s κ', (rows) =>
        rangeOf(
          rows.map(({ kappa }) => kappa),
          threeDigits,
        ),
      ),
    ]),
    table(
      [...together],
      [
        label('All judges of', ([benchmark]) => titleOf(benchmark)),
        number('Krippendorff’s α', ([, rows]) =>
          rangeOf(
            rows.map(({ alpha }) => alpha),
            threeDigits,
          ),
        ),
      ],
      'Lowest and highest over the base and each training’s last step.',
    ),
    ...differingBlocks(results),
  ]
}

const MOST_SHOWN = 50

/** Names of replies alone. */
function differingBlocks({ disagreements }: Results): Block[] {
  if (disagreements.length === 0) return []
  const shown = disagreements.slice(0, MOST_SHOWN)
  const replies = table(shown, [
    label('Checkpoint', stateName),
    label('Benchmark', ({ benchmark }) => benchmark),
    label('Prompt', ({ sampleId }) => sampleId),
    label('Judges', ({ outcomes }) =>
      Object.entries(outcomes)
        .map(([judge, outcome]) => `${judge} ${outcome}`)
        .join(', '),
    ),
  ])
  return [
    details(
      `${disagreements.length} replies on which judges differ, the first ${shown.length}`,
      replies,
    ),
  ]
}
