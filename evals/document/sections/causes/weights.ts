/** @file Which parts of a fine-tune's change took refusal, and what came back when they were put back. */
import type { HeatMap } from '../../../contract/document/charts.ts'
import type { Section } from '../../../contract/document.ts'
import type {
  Derivation,
  DirectionsBack,
  Intervention,
  Location,
  PutBack,
  Restored,
} from '../../../contract/subjects/causes.ts'
import type { Results } from '../../../contract/results.ts'
import { counted, percent, stateInSentence } from '../../../contract/words.ts'
import {
  details,
  label,
  list,
  number,
  paragraph,
  section,
  table,
  type Column,
} from '../../blocks.ts'
import { changeWithInterval, ratesOf, significant } from '../../view.ts'
import { signedShare } from './rows.ts'

export function locationSection(results: Results): Section[] {
  const { locations = [], interventions = [] } = results.causes ?? {}
  if (locations.length === 0) return []
  return section(
    'Which weights did it',
    paragraph(
      'A part of the change (a matrix, or a whole layer of a large model) is put back to the base alone; its share is how much of the loss of the base’s refusals, against what the fine-tune says instead, that takes away. The smallest set of the parts ranked first that restores refusal was chosen on one half of the prompts; the table is of the other, beside random sets of parts with at most as large a change.',
    ),
    list(locations.map(foundText)),
    backTable(results, interventions),
    directionsTable(results, interventions),
    locations.map(mapOf),
    locations.map((each) => details(`${nameOf(each)}: all parts`, partsTable(each))),
  )
}

const nameOf = ({ arm, seed }: Location): string => stateInSentence({ arm, seed })

function foundText(location: Location): string {
  const { found, parts, restores } = location
  const head = `${nameOf(location)}: `
  if (found === null)
    return `${head}no set was looked for, because no refusal was lost on that half, or putting all parts back does not restore ${percent(restores)} of it.`
  const share = parts.slice(0, found).reduce((sum, part) => sum + part.share, 0)
  return `${head}the first ${found} of ${counted(parts.length, 'part')}, with ${percent(share)} of ‖ΔW‖², restore at least ${percent(restores)} of the lost refusal on the prompts on which they were chosen.`
}

interface Line<D> extends Restored {
  readonly of: string
  readonly seed: number
  readonly set: D
}

/** Interventions of one kind, a line a benchmark. */
function linesOf<K extends Derivation['kind']>(interventions: readonly Intervention[], kind: K) {
  type Own = Extract<Derivation, { kind: K }>
  return interventions.flatMap(({ of, seed, derivation, restored }) =>
    derivation.kind === kind
      ? restored.map((each): Line<Own> => ({ ...each, of, seed, set: derivation as Own }))
      : [],
  )
}

const SET_TEXT: Readonly<Record<DirectionsBack['set'], string>> = {
  intruders: 'along intruder dimensions',
  largest: 'with the largest σ',
  smallest: 'with the smallest σ',
  random: 'control: at random',
}

function directionsTable(results: Results, interventions: readonly Intervention[]) {
  const lines = linesOf(interventions, 'directions-back')
  return (
    lines.length > 0 &&
    table(
      lines,
      [
        label('Fine-tune', ({ of, seed }) => stateInSentence({ arm: of, seed })),
        label(
          'Singular directions put back',
          ({ set: { set, directions, draw } }) =>
            `${directions} ${SET_TEXT[set]}${draw === 0 ? '' : ` (${draw})`}`,
        ),
        ...backColumns<DirectionsBack>(results),
      ],
      'Singular directions of ΔW over all matrices, sets of the same squared norm; on the prompts that nothing was chosen by, exact paired tests, each by itself',
    )
  )
}

const backColumns = <D extends { readonly share: number }>(results: Results): Column<Line<D>>[] => {
  const titleOf = ratesOf(results)
  return [
    number('‖ΔW‖²', ({ set: { share } }) => percent(share)),
    label('Benchmark', ({ benchmark }) => titleOf(benchmark)),
    number('Base', ({ base }) => percent(base)),
    number('Fine-tune', ({ tuned }) => percent(tuned)),
    number('Put back', ({ after }) => percent(after)),
    number('Came back', ({ share }) => (share === null ? '–' : signedShare(share))),
    number('Change, points (95 %)', changeWithInterval),
    number('p', ({ pValue }) => significant(pValue, 2)),
  ]
}

function backTable(results: Results, interventions: readonly Intervention[]) {
  const lines = linesOf(interventions, 'put-back')
  return (
    lines.length > 0 &&
    table(
      lines,
      [
        label('Fine-tune', ({ of, seed }) => stateInSentence({ arm: of, seed })),
        label('Put back', ({ set: { set, parts, draw } }) =>
          set === 'ranked' ? `the first ${parts}` : `control: ${parts} at random (${draw})`,
        ),
        ...backColumns<PutBack>(results),
      ],
      'On the prompts that nothing was chosen by; exact paired tests, each by itself',
    )
  )
}

function mapOf(location: Location): HeatMap {
  const { parts } = location
  const layers = [...new Set(parts.map(({ layer }) => layer))].sort(
    (a, b) => (a ?? Infinity) - (b ?? Infinity),
  )
  const modules = [...new Set(parts.map(({ module }) => module))].sort()
  return {
    type: 'heat-map',
    title: `${nameOf(location)}: what each part put back alone takes away of the loss`,
    rows: layers.map((layer) => (layer === null ? 'no layer' : `layer ${layer}`)),
    columns: modules,
    cells: layers.map((layer) =>
      modules.map((module) => {
        const part = parts.find((each) => each.layer === layer && each.module === module)
        if (!part) return null
        const { restored, share } = part
        return {
          label: signedShare(restored),
          share: Math.min(1, Math.max(0, restored)),
          detail: `${module}: ${signedShare(restored)} with ${percent(share)} of ‖ΔW‖²`,
        }
      }),
    ),
  }
}

const partsTable = ({ parts }: Location) =>
  table(parts, [
    label('Layer', ({ layer }) => (layer === null ? '–' : String(layer))),
    label('Part', ({ module }) => module),
    number('Weights', ({ weights }) => weights),
    number('‖ΔW‖²', ({ share }) => percent(share)),
    number('Takes away of the loss', ({ restored }) => signedShare(restored)),
  ])
