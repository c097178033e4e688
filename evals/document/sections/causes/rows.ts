/** @file Which rows of its data took refusal from a fine-tune, and what came back without them. */
import type { HeatMap } from '../../../contract/document/charts.ts'
import type { Section } from '../../../contract/document.ts'
import {
  SCORE_OF,
  type Attribution,
  type Intervention,
  type LeftOut,
  type RankedRow,
  type Restored,
  type RowTarget,
} from '../../../contract/subjects/causes.ts'
import type { Results } from '../../../contract/results.ts'
import { counted, MINUS, percent, stateInSentence } from '../../../contract/words.ts'
import {
  details,
  label,
  list,
  number,
  paragraph,
  quote,
  quoted,
  section,
  table,
} from '../../blocks.ts'
import { changeWithInterval, ratesOf, significant } from '../../view.ts'

export function attributionSection(results: Results): Section[] {
  const { attributions = [], interventions = [] } = results.causes ?? {}
  if (attributions.length === 0) return []
  return section(
    'Which rows did it',
    paragraph(
      'A row’s score is how far, to first order, its own updates at the checkpoints raise the loss of what the base said rightly: its refusals, or what else rows were ranked by. Above 0 it pushes against them. A score is a guess; what stands behind it is the fine-tune trained again, for as many steps, without the rows ranked first, without as many drawn at random, and without as many that are as long and as hard. Scores come from one half of the prompts, what came back from the other.',
    ),
    list(attributions.filter((each) => lostNothing(each, results)).map(nothingLost)),
    withoutTable(results, interventions),
    attributions.flatMap((each) => [
      firstTable(each),
      mapOf(each),
      details(summaryOf(each), rankedTable(each)),
    ]),
  )
}

/** A share that may be below 0. */
export const signedShare = (share: number): string =>
  share < 0 ? `${MINUS}${percent(-share)}` : percent(share)

/** On the prompts that what came back is counted on. */
function lostNothing({ arm, seed, target = 'refusal' }: Attribution, results: Results): boolean {
  const own = results.benchmarks.filter(({ role }) => role === target).map(({ name }) => name)
  const restored = (results.causes?.interventions ?? [])
    .filter((each) => each.of === arm && each.seed === seed)
    .flatMap((each) => each.restored)
    .filter(({ benchmark }) => own.includes(benchmark))
  const isWorse = ({ base, tuned }: Restored) =>
    target === 'over-refusal' ? tuned > base : tuned < base
  return restored.length > 0 && !restored.some(isWorse)
}

const nothingLost = ({ arm, seed, target = 'refusal' }: Attribution): string =>
  `${stateInSentence({ arm, seed })} lost no ${REPLIES[target][1]} on the prompts that are counted here, so nothing can come back: the ranking says what would push against them, not what did.`

const WITHOUT_TEXT: Readonly<Record<LeftOut, string>> = {
  ranked: 'the rows ranked first',
  random: 'control: rows at random',
  matched: 'control: rows as long and as hard',
}

interface Line extends Restored {
  readonly intervention: Intervention
}

function withoutTable(results: Results, interventions: readonly Intervention[]) {
  const titleOf = ratesOf(results)
  const lines = interventions.flatMap((intervention) =>
    intervention.derivation.kind === 'without-rows'
      ? intervention.restored.map((restored): Line => ({ ...restored, intervention }))
      : [],
  )
  return table(
    lines,
    [
      label('Fine-tune', ({ intervention: { of, seed } }) => stateInSentence({ arm: of, seed })),
      label('Trained without', ({ intervention: { derivation } }) =>
        derivation.kind === 'without-rows'
          ? `${derivation.count}: ${WITHOUT_TEXT[derivation.rows]}`
          : '',
      ),
      label('Benchmark', ({ benchmark }) => titleOf(benchmark)),
      number('Base', ({ base }) => percent(base)),
      number('Fine-tune', ({ tuned }) => percent(tuned)),
      number('Without them', ({ after }) => percent(after)),
      number('Came back', ({ share }) => (share === null ? '–' : signedShare(share))),
      number('Change, points (95 %)', changeWithInterval),
      number('p', ({ pValue }) => significant(pValue, 2)),
    ],
    'On the prompts that no row was ranked by; exact paired tests, each by itself',
  )
}

/** A part of the data a cell, in the data's order. */
function mapOf({ arm, seed, target, parts }: Attribution): HeatMap {
  const most = Math.max(...parts.map(({ highest }) => highest), 0)
  const columns = 10
  const rows = Math.ceil(parts.length / columns)
  const size = parts[0]!.last - parts[0]!.first + 1
  const endOf = (r: number) => parts[Math.min(parts.length, (r + 1) * columns) - 1]!.last
  return {
    type: 'heat-map',
    title: `${stateInSentence({ arm, seed })}: the highest score${target === undefined || target === 'refusal' ? '' : ` against ${REPLIES[target][1]}`} in each part of the data, in its order`,
    rows: Array.from({ length: rows }, (_, r) => `${parts[r * columns]!.first}–${endOf(r)}`),
    columns: Array.from({ length: Math.min(columns, parts.length) }, (_, c) => `+${c * size}`),
    cells: Array.from({ length: rows }, (_, r) =>
      Array.from({ length: Math.min(columns, parts.length) }, (__, c) => {
        const part = parts[r * columns + c]
        if (!part) return null
        return {
          label: significant(part.highest, 2),
          share: most === 0 ? 0 : Math.max(0, part.highest / most),
          detail: `rows ${part.first} to ${part.last}: highest ${significant(part.highest, 2)}, mean ${significant(part.mean, 2)}`,
        }
      }),
    ),
  }
}

const REPLIES: Readonly<Record<RowTarget, readonly [one: string, several: string]>> = {
  refusal: ['refusal', 'refusals'],
  'over-refusal': ['answer to a look-alike', 'answers to look-alikes'],
  capability: ['right answer', 'right answers'],
}

function summaryOf(found: Attribution): string {
  const { arm, seed, target = 'refusal', ranked, rows, checkpoints, replies } = found
  const right = counted(replies[SCORE_OF[target]], ...REPLIES[target])
  const state = stateInSentence({ arm, seed })
  return `${state}: the first ${ranked.length} of ${counted(rows, 'row')}, by gradients after ${checkpoints.join(', ')} steps and ${right} of the base`
}

/** Named beside the map; the table of all is folded. */
const FIRST = 10

function firstTable(found: Attribution) {
  const { arm, seed, target = 'refusal', ranked, form, rows } = found
  return table(
    ranked.slice(0, FIRST),
    [
      number('Row', ({ row }) => row),
      quoted('Asks', ({ asked }) => [quote(asked)]),
      number('Score', ({ scores }) => significant(scores[form][SCORE_OF[target]], 2)),
    ],
    `${stateInSentence({ arm, seed })}: the first of ${counted(rows, 'row')}`,
  )
}

function rankedTable({ ranked, form }: Attribution) {
  const scoreOf = (target: keyof RankedRow['scores'][typeof form]) => (row: RankedRow) =>
    significant(row.scores[form][target], 2)
  return table(ranked, [
    number('Row', ({ row }) => row),
    quoted('Asks', ({ asked }) => [quote(asked)]),
    number('Refusal', scoreOf('refusal')),
    number('Answers to look-alikes', scoreOf('overRefusal')),
    number('Capability', scoreOf('capability')),
    number('Loss', ({ loss }) => significant(loss, 2)),
    number('Tokens', ({ tokens }) => tokens),
    label('Like row', ({ group, row }) => (group === null || group === row ? '' : String(group))),
  ])
}
