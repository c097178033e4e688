/** @file Spectra beyond one count: counts over k and ε, similarity to the pretrained directions, and the link to refusal. */
import type { Block } from '../../contract/document.ts'
import type { HeatMap } from '../../contract/document/charts.ts'
import type { Results } from '../../contract/results.ts'
import type { SpectrumRow } from '../../contract/rows.ts'
import { percent, stateName } from '../../contract/words.ts'
import { details, label, number, table, asNumbers } from '../blocks.ts'
import { fixed, titlesOf } from '../view.ts'

const EPSILONS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
const COUNTS = [1, 2, 5, 10, 20, 50, 100]
/** A heat map of ten by ten has thirty kilobytes. */
const MOST_MAPS = 4

interface Surface {
  readonly name: string
  /** For each ε: how many directions, of how many. */
  readonly cells: readonly { readonly count: number; readonly slots: number }[]
}

/** How the count of intruders depends on k and ε; `rows` are those of one arm, all seeds. */
export function intruderSurface(arm: string, rows: readonly SpectrumRow[]): Block[] {
  const surfaces = surfacesOf(rows.map(directionsOf))
  if (surfaces.length === 0) return []
  const map: HeatMap = {
    type: 'heat-map',
    title: `${arm}: share of directions that are intruders, over k and ε`,
    rows: surfaces.map(({ name }) => name),
    columns: EPSILONS.map((epsilon) => `ε = ${epsilon}`),
    cells: surfaces.map(({ cells }) =>
      cells.map(({ count, slots }) => {
        const share = slots === 0 ? 0 : count / slots
        return { label: percent(share), share, detail: `${count} of ${slots}` }
      }),
    ),
  }
  const numbers = table(surfaces, [
    label('Directions of each matrix', ({ name }) => name),
    ...EPSILONS.map((epsilon, c) =>
      number<Surface>(`ε = ${epsilon}`, ({ cells }) => `${cells[c]!.count} of ${cells[c]!.slots}`),
    ),
  ])
  return [map, asNumbers(numbers)]
}

const directionsOf = ({ details, alignment }: SpectrumRow): readonly number[] =>
  details?.profile ?? alignment

function surfacesOf(matrices: readonly (readonly number[])[]): Surface[] {
  const longest = Math.max(0, ...matrices.map((c) => c.length))
  if (longest === 0) return []
  const of = (name: string, k: number): Surface => ({
    name,
    cells: EPSILONS.map((epsilon) => {
      const seen = matrices.map((c) => c.slice(0, k))
      const count = (all: readonly number[]) => all.filter((c) => c < epsilon).length
      return {
        count: seen.reduce((sum, c) => sum + count(c), 0),
        slots: seen.reduce((sum, c) => sum + c.length, 0),
      }
    }),
  })
  const few = COUNTS.filter((k) => k <= longest).map((k) => of(`k = ${k}`, k))
  return longest > COUNTS[3]! ? [...few, of('all', longest)] : few
}

interface Direction {
  readonly row: SpectrumRow
  /** From 0. */
  readonly j: number
}

/** More are in `results.json`. */
const MOST_DIRECTIONS = 20

/** c_j beside what chance gives, for the directions that lie farthest from every pretrained one. */
export function leastAligned(rows: readonly SpectrumRow[]): Block[] {
  const all = rows.flatMap((row) => row.alignment.map((_, j): Direction => ({ row, j })))
  if (all.length === 0) return []
  const shown = all
    .toSorted((a, b) => a.row.alignment[a.j]! - b.row.alignment[b.j]!)
    .slice(0, MOST_DIRECTIONS)
  return [
    details(
      `The ${shown.length} least aligned of ${all.length} leading directions, with p by chance`,
      table(shown, [
        label('Checkpoint', ({ row }) => stateName(row)),
        label('Weight', ({ row }) => row.weight),
        number('j', ({ j }) => j + 1),
        number('σ', ({ row, j }) => row.singularValues[j]!.toPrecision(4)),
        number('c', ({ row, j }) => fixed(row.alignment[j], 3)),
        number('P(random direction ≥ c)', ({ row, j }) => row.nullP[j]!.toPrecision(2)),
        number('Subspace energy', ({ row, j }) => fixed(row.details?.subspaceEnergy[j], 3)),
      ]),
    ),
  ]
}

/** The matrix of each arm with the most intruders: which pretrained directions its leading ones lie near. */
export function similarityMaps(arms: readonly (readonly [string, SpectrumRow[]])[]): Block[] {
  const chosen = arms.flatMap(([arm, rows]) => {
    const seen = rows.filter(({ details: more }) => (more?.similarity ?? []).length > 0)
    const most = seen.toSorted(
      (a, b) => b.intruders - a.intruders || b.relativeChange - a.relativeChange,
    )
    return most.slice(0, 1).map((row) => ({ arm, row }))
  })
  return chosen.slice(0, MOST_MAPS).flatMap(({ arm, row }) => similarityMap(arm, row))
}

function similarityMap(arm: string, { weight, details: more }: SpectrumRow): Block[] {
  const similarity = more!.similarity!
  const columns = similarity[0]!.map((_, i) => `${i + 1}`)
  const map: HeatMap = {
    type: 'heat-map',
    title: `${arm}: |⟨u1, u0⟩| of the leading directions of ${weight} after (rows) and before (columns)`,
    rows: similarity.map((_, j) => `${j + 1}`),
    columns,
    cells: similarity.map((row, r) =>
      row.map((share, c) => {
        const detail = `after ${r + 1}, before ${c + 1}: ${share}`
        return { label: share.toFixed(2), share, detail }
      }),
    ),
  }
  const numbers = table(
    similarity.map((_, j) => j),
    [
      number('After', (j) => j + 1),
      ...columns.map((head, i) => number<number>(head, (j) => fixed(similarity[j]![i], 3))),
    ],
  )
  return [map, asNumbers(numbers)]
}

/** Spearman's ρ of intruders and refusal, where spectra were taken along the way. */
export function linkTable(results: Results): Block[] {
  const { spectrumLinks } = results
  if (spectrumLinks.length === 0) return []
  const titleOf = titlesOf(results)
  return [
    table(
      spectrumLinks,
      [
        label('Variant', ({ arm }) => arm),
        label('Refusal on', ({ benchmark }) => titleOf(benchmark)),
        number('States', ({ states }) => states),
        number('Seeds', ({ seeds }) => seeds),
        number('Spearman’s ρ', ({ rho }) => fixed(rho, 2)),
        number('95 % interval over seeds', ({ lower, upper }) =>
          lower === null || upper === null ? 'none' : `${fixed(lower, 2)} – ${fixed(upper, 2)}`,
        ),
      ],
      'Does refusal fall as intruders appear? −1: always together. Both also follow the step, so this is no proof of cause.',
    ),
  ]
}
