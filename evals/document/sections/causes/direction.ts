/** @file The direction of refusal before and after a fine-tune, whether its weights look ablated, and what steering brought back. */
import type { HeatMap, LineChart } from '../../../contract/document/charts.ts'
import type { Section } from '../../../contract/document.ts'
import { DIRECTION_METRICS } from '../../../contract/metrics/direction.ts'
import type { Results } from '../../../contract/results.ts'
import type { Intervention, Restored } from '../../../contract/subjects/causes.ts'
import { looksAblated, type Direction } from '../../../contract/subjects/direction.ts'
import { percent, stateInSentence } from '../../../contract/words.ts'
import {
  details,
  label,
  list,
  number,
  paragraph,
  quietParagraph,
  section,
  table,
} from '../../blocks.ts'
import { changeWithInterval, ratesOf, significant, stateSeries, titlesOf } from '../../view.ts'
import { signedShare } from './rows.ts'

export function directionSection(results: Results): Section[] {
  const { directions = [], interventions = [] } = results.causes ?? {}
  if (directions.length === 0) return []
  return section(
    'Direction of refusal',
    paragraph(
      'After a block, at one of a prompt’s last tokens, the direction is the mean of what is passed on for prompts to refuse less that for prompts to answer. It was made on one half of the bundled prompts; how well projections on it tell the kinds apart (area under the ROC curve, 50 % is chance) is of the other.',
    ),
    placeTable(directions),
    trajectoryCharts(results),
    list(directions.map(changeText)),
    changeTable(directions),
    steeredTable(results, interventions),
    directions.map(cosineMap),
    directions.map((each) =>
      details(`${nameOf(each)}: projections by category`, categoryTable(each, results)),
    ),
    quietParagraph(
      'An angle is to be read beside that between the base’s own directions of both halves. A direction that was spread over several, removed in part, or taken away by training is missed: “not shown” is not “not removed”. Nothing here removes a direction.',
    ),
  )
}

const nameOf = ({ arm, seed }: Direction): string => stateInSentence({ arm, seed })

const chosenPlace = ({ places, chosen }: Direction) =>
  places.find(({ layer, position }) => layer === chosen.layer && position === chosen.position)!

const areaText = (area: number | null) => (area === null ? '–' : percent(area))

/** All directions of a run are of the same prompts. */
function halvesText([first]: readonly Direction[]): string {
  const of = ({ refuse, answer }: Direction['made']) =>
    `${refuse} to refuse and ${answer} to answer`
  return `made of ${of(first!.made)}, told apart on ${of(first!.judged)}`
}

function placeTable(directions: readonly Direction[]) {
  return table(
    directions.map((each) => ({ ...each, here: chosenPlace(each) })),
    [
      label('Fine-tune', nameOf),
      label('After block, at token', ({ chosen }) => `${chosen.layer}, ${chosen.position}`),
      number('Cosine with the base’s', ({ here }) => significant(here.cosine, 3)),
      number('Base’s halves', ({ reliability }) => significant(reliability, 3)),
      number('Length, of the base’s', ({ here }) => percent(here.strengthRatio)),
      number('Gap along the base’s', ({ here }) => signedShare(here.gapRatio)),
      number('Told apart, base', ({ here }) => areaText(here.separation)),
      number('after', ({ here }) => areaText(here.separationAfter)),
    ],
    `At the place where leaving one prompt out tells both kinds apart best in the base; ${halvesText(directions)}`,
  )
}

/** One chart of what was kept along the training, where more than its end was looked at. */
function trajectoryCharts(results: Results): LineChart[] {
  const named: readonly [string, string][] = [
    [DIRECTION_METRICS.cosine, 'Cosine with the base’s direction'],
    [DIRECTION_METRICS.gap, 'Gap along the base’s direction, of the base’s'],
  ]
  return named.flatMap(([metric, title]) => {
    const rows = results.metrics.filter(({ name }) => name === metric)
    const series = stateSeries(results, rows, ({ step, value }) => ({ x: step, y: value }))
    const shown = series.filter(({ points }) => points.length > 1)
    if (shown.length === 0) return []
    return [
      { type: 'line-chart', title, xLabel: 'step', format: 'hundredths', series: shown } as const,
    ]
  })
}

const CHANGE_TEXT = {
  yes: 'the weights look like an ablated direction: what they write to the residual stream lost one direction, more alike over all of them than in any benign fine-tune.',
  'not shown': 'a removed direction is not shown.',
  'not tested':
    'whether a direction was removed is not tested: fewer than 19 benign fine-tunes say what is usual.',
} as const

const changeText = (each: Direction): string =>
  each.change === null
    ? `${nameOf(each)}: no weight that writes to the residual stream changed, so none was ablated there.`
    : `${nameOf(each)}: ${CHANGE_TEXT[looksAblated(each.change)]}`

function changeTable(directions: readonly Direction[]) {
  const rows = directions.flatMap((each) => (each.change ? [{ ...each, ...each.change }] : []))
  return table(
    rows,
    [
      label('Fine-tune', nameOf),
      number('Weights', ({ weights }) => weights),
      number('Shared', ({ shared }) => percent(shared)),
      number('Left along it', ({ left }) => percent(left)),
      number('|Cosine| with refusal', ({ cosine }) => significant(cosine, 3)),
      label('Benign fine-tunes', ({ benign }) =>
        benign ? `${benign.draws} with ${benign.method} on ${benign.data}` : '–',
      ),
      number('shared at most', ({ benign }) => (benign ? percent(benign.highestShared) : '–')),
      number('left at least', ({ benign }) => (benign ? percent(benign.lowestLeft) : '–')),
      number('p', ({ benign }) => (benign ? significant(benign.pValue, 2) : '–')),
    ],
    'One left direction of the changes of the weights that write to the residual stream: mean share of each change’s ‖ΔW‖² on it, and what is still written along it; removal gives 100 % and 0 %',
  )
}

interface Line extends Restored {
  readonly of: string
  readonly seed: number
  readonly along: string
}

const ALONG_TEXT = { refusal: 'the direction', random: 'control: as long, at random' } as const

function steeredTable(results: Results, interventions: readonly Intervention[]) {
  const titleOf = ratesOf(results)
  const lines = interventions.flatMap(({ of, seed, derivation, restored }) =>
    derivation.kind === 'steered'
      ? restored.map((each): Line => ({ ...each, of, seed, along: ALONG_TEXT[derivation.along] }))
      : [],
  )
  return (
    lines.length > 0 &&
    table(
      lines,
      [
        label('State', ({ of, seed }) => stateInSentence({ arm: of, seed })),
        label('Added', ({ along }) => along),
        label('Benchmark', ({ benchmark }) => titleOf(benchmark)),
        number('Base', ({ base }) => percent(base)),
        number('Before', ({ tuned }) => percent(tuned)),
        number('With it', ({ after }) => percent(after)),
        number('Change, points (95 %)', changeWithInterval),
        number('p', ({ pValue }) => significant(pValue, 2)),
      ],
      'Steered: the base’s direction added after the chosen block at every token, on prompts that it was not made of; exact paired tests, each by itself',
    )
  )
}

function cosineMap(direction: Direction): HeatMap {
  const layers = [...new Set(direction.places.map(({ layer }) => layer))]
  const positions = [...new Set(direction.places.map(({ position }) => position))]
  return {
    type: 'heat-map',
    title: `${nameOf(direction)}: cosine with the base’s direction, after each block at each of the last tokens`,
    rows: layers.map((layer) => `block ${layer}`),
    columns: positions.map((position) => `token ${position}`),
    cells: layers.map((layer) =>
      positions.map((position) => {
        const place = direction.places.find(
          (each) => each.layer === layer && each.position === position,
        )!
        return {
          label: significant(place.cosine, 2),
          share: Math.min(1, Math.max(0, place.cosine)),
          detail: `length ${percent(place.strengthRatio)} of the base’s; told apart ${areaText(place.separation)} before, ${areaText(place.separationAfter)} after`,
        }
      }),
    ),
  }
}

function categoryTable({ categories }: Direction, results: Results) {
  const titleOf = titlesOf(results)
  return table(
    categories,
    [
      label('Benchmark', ({ benchmark }) => titleOf(benchmark)),
      label('Category', ({ category }) => category),
      number('Prompts', ({ prompts }) => prompts),
      number('Base', ({ base }) => signedShare(base)),
      number('Fine-tune', ({ tuned }) => signedShare(tuned)),
    ],
    '0 %: the mean of the base’s prompts to answer; 100 %: that of its prompts to refuse',
  )
}
