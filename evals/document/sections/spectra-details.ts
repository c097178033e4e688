/** @file What spectra say beyond one count: counts over k and ε, similarity to the pretrained directions, and the link to refusal. */
import type { Results, SpectrumLink } from '../../contract/results.ts'
import type { SpectrumRow } from '../../contract/rows.ts'
import { percent } from '../../contract/words.ts'
import { heatMap } from '../charts/heat-map.ts'
import { html, type Markup } from '../markup.ts'
import { folded, table } from '../table.ts'
import { fixed, stateName } from '../view.ts'

const EPSILONS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
const COUNTS = [1, 2, 5, 10, 20, 50, 100]
/** A heat map of ten by ten is thirty kilobytes. */
const MOST_MAPS = 4

interface Surface {
  readonly name: string
  /** For each ε: how many directions, of how many. */
  readonly cells: readonly { readonly count: number; readonly slots: number }[]
}

/** How the count of intruders depends on k and ε; `rows` are those of one arm, all seeds. */
export function intruderSurface(arm: string, rows: readonly SpectrumRow[]): Markup {
  const surfaces = surfacesOf(rows.map(directionsOf))
  if (surfaces.length === 0) return html``
  const title = `${arm}: share of directions that are intruders, over k and ε`
  return html`${heatMap({
    title,
    rows: surfaces.map(({ name }) => name),
    columns: EPSILONS.map((epsilon) => `ε = ${epsilon}`),
    cell: (r, c) => {
      const { count, slots } = surfaces[r]!.cells[c]!
      const share = slots === 0 ? 0 : count / slots
      return { label: percent(share), share, detail: `${count} of ${slots}` }
    },
  })}
  ${folded(
    'The same as numbers',
    table<Surface>(
      [
        { head: 'Directions of each matrix', cell: ({ name }) => name },
        ...EPSILONS.map((epsilon, c) => ({
          head: `ε = ${epsilon}`,
          cell: ({ cells }: Surface) => `${cells[c]!.count} of ${cells[c]!.slots}`,
          kind: 'number' as const,
        })),
      ],
      surfaces,
    ),
  )}`
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
export function leastAligned(rows: readonly SpectrumRow[]): Markup {
  const all = rows.flatMap((row) => row.alignment.map((_, j): Direction => ({ row, j })))
  if (all.length === 0) return html``
  const shown = all
    .toSorted((a, b) => a.row.alignment[a.j]! - b.row.alignment[b.j]!)
    .slice(0, MOST_DIRECTIONS)
  return folded(
    `The ${shown.length} least aligned of ${all.length} leading directions, with p by chance`,
    table<Direction>(
      [
        { head: 'Model state', cell: ({ row }) => stateName(row) },
        { head: 'Weight', cell: ({ row }) => row.weight },
        { head: 'j', cell: ({ j }) => j + 1, kind: 'number' },
        { head: 'σ', cell: ({ row, j }) => row.singularValues[j]!.toPrecision(4), kind: 'number' },
        { head: 'c', cell: ({ row, j }) => fixed(row.alignment[j]!, 3), kind: 'number' },
        {
          head: 'P(random direction ≥ c)',
          cell: ({ row, j }) => row.nullP[j]!.toPrecision(2),
          kind: 'number',
        },
        {
          head: 'Subspace energy',
          cell: ({ row, j }) => fixed(row.details?.subspaceEnergy[j] ?? null, 3),
          kind: 'number',
        },
      ],
      shown,
    ),
  )
}

/** The matrix of each arm with the most intruders: which pretrained directions its leading ones lie near. */
export function similarityMaps(arms: readonly (readonly [string, SpectrumRow[]])[]): Markup {
  const chosen = arms.flatMap(([arm, rows]) => {
    const seen = rows.filter(({ details }) => (details?.similarity ?? []).length > 0)
    if (seen.length === 0) return []
    const size = ({ intruders, relativeChange }: SpectrumRow) =>
      [intruders, relativeChange] as const
    const most = seen.reduce((best, row) => {
      const [[a, x], [b, y]] = [size(best), size(row)]
      return b > a || (b === a && y > x) ? row : best
    })
    return [{ arm, row: most }]
  })
  return html`${chosen.slice(0, MOST_MAPS).map(({ arm, row }) => similarityMap(arm, row))}`
}

function similarityMap(arm: string, { weight, details }: SpectrumRow): Markup {
  const similarity = details!.similarity!
  const columns = similarity[0]!.map((_, i) => `${i + 1}`)
  return html`${heatMap({
    title: `${arm}: |⟨u1, u0⟩| of the leading directions of ${weight} after (rows) and before (columns)`,
    rows: similarity.map((_, j) => `${j + 1}`),
    columns,
    cell: (r, c) => {
      const share = similarity[r]![c]!
      return { label: share.toFixed(2), share, detail: `after ${r + 1}, before ${c + 1}: ${share}` }
    },
  })}
  ${folded(
    'The same as numbers',
    table(
      [
        { head: 'After', cell: (j: number) => j + 1, kind: 'number' as const },
        ...columns.map((head, i) => ({
          head,
          cell: (j: number) => fixed(similarity[j]![i]!, 3),
          kind: 'number' as const,
        })),
      ],
      similarity.map((_, j) => j),
    ),
  )}`
}

/** ρ where spectra were taken along the way. */
export function linkTable({ spectrumLinks, benchmarks }: Results): Markup {
  if (spectrumLinks.length === 0) return html``
  const title = (name: string) => benchmarks.find((row) => row.name === name)?.title ?? name
  return table<SpectrumLink>(
    [
      { head: 'Arm', cell: ({ arm }) => arm },
      { head: 'Refusal on', cell: ({ benchmark }) => title(benchmark) },
      { head: 'States', cell: ({ states }) => states, kind: 'number' },
      { head: 'Seeds', cell: ({ seeds }) => seeds, kind: 'number' },
      { head: 'Spearman’s ρ', cell: ({ rho }) => fixed(rho, 2), kind: 'number' },
      {
        head: '95 % interval over seeds',
        cell: ({ lower, upper }) =>
          lower === null || upper === null ? 'none' : `${fixed(lower, 2)} – ${fixed(upper, 2)}`,
        kind: 'number',
      },
    ],
    spectrumLinks,
    'Does refusal fall as intruders appear? −1: always together. Both also follow the step, so this is no proof of cause.',
  )
}
