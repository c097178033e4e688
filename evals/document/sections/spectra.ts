/** @file Where in the weights: intruder directions by layer and module, beside what chance gives in the same shapes. */
import type { Results } from '../../contract/results.ts'
import type { SpectrumRow, SubjectKey } from '../../contract/rows.ts'
import { percent } from '../../contract/words.ts'
import { heatMap } from '../charts/heat-map.ts'
import { html, type Markup } from '../markup.ts'
import { folded, table } from '../table.ts'
import { atLastStep, fixed, stateName } from '../view.ts'
import { intruderSurface, leastAligned, linkTable, similarityMaps } from './spectra-details.ts'

export function spectraSection(results: Results): Markup {
  const { spectra, spectrumTotals } = results
  if (spectra.length === 0) return html``
  const last = atLastStep(spectra)
  const arms = [...Map.groupBy(last, ({ arm }) => arm)]
  return html`<h2>Where in the weights</h2>
    <p>
      For each matrix the leading singular directions after fine-tuning are compared with every
      direction of the pretrained matrix. One whose best alignment c stays below ε is counted as an
      intruder. The null band holds c of 98 of 100 random directions in the same shape: an intruder
      inside or below that band is aligned no better than chance.
    </p>
    ${arms.map(([arm, rows]) => armMap(arm, rows))}
    ${table(
      [
        { head: 'Model state', cell: (row) => stateName(row) },
        { head: 'Step', cell: (row) => row.step, kind: 'number' },
        { head: 'Matrices', cell: (row) => row.matrices, kind: 'number' },
        { head: 'Intruders', cell: (row) => `${row.intruders} of ${row.slots}`, kind: 'number' },
        { head: 'Null band', cell: (row) => widestBand(spectra, row), kind: 'number' },
        {
          head: 'Mean effective rank of ΔW',
          cell: (row) => fixed(row.meanEffectiveRankOfChange, 2),
          kind: 'number',
        },
        { head: 'Mean ‖ΔW‖ / ‖W‖', cell: (row) => percent(row.meanRelativeChange), kind: 'number' },
      ],
      spectrumTotals,
      'Sums over the matrices of each model state',
    )}
    ${linkTable(results)} ${arms.map(([arm, rows]) => intruderSurface(arm, rows))}
    ${similarityMaps(arms)} ${leastAligned(last)}
    ${folded(`All ${last.length} matrices`, matrixTable(last))}`
}

/** Means over seeds; the tint is the share of the directions looked at. */
function armMap(arm: string, rows: readonly SpectrumRow[]): Markup {
  const layers = [...new Set(rows.map(({ layer }) => layer))].sort((a, b) => a - b)
  const modules = [...new Set(rows.map(({ module }) => module))]
  const seeds = new Set(rows.map(({ seed }) => seed)).size
  return heatMap({
    title: `${arm}: intruders by layer and module${seeds > 1 ? `, mean over ${seeds} seeds` : ''}`,
    rows: layers.map((layer) => `layer ${layer}`),
    columns: modules,
    cell: (r, c) => {
      const here = rows.filter((row) => row.layer === layers[r] && row.module === modules[c])
      if (here.length === 0) return undefined
      const mean = here.reduce((sum, { intruders }) => sum + intruders, 0) / here.length
      const slots = here[0]!.alignment.length
      return {
        label: Number.isInteger(mean) ? String(mean) : mean.toFixed(1),
        share: slots === 0 ? 0 : mean / slots,
        detail: `${here[0]!.weight}: ${mean.toFixed(1)} of ${slots}; null band ${bandText(here[0]!)}`,
      }
    },
  })
}

const bandText = ({ nullBand: [low, high] }: SpectrumRow) =>
  `${low.toFixed(3)} – ${high.toFixed(3)}`

/** Over all shapes of one model state. */
function widestBand(spectra: readonly SpectrumRow[], { arm, seed, step }: SubjectKey): string {
  const mine = spectra.filter((row) => row.arm === arm && row.seed === seed && row.step === step)
  const low = Math.min(...mine.map(({ nullBand }) => nullBand[0]))
  const high = Math.max(...mine.map(({ nullBand }) => nullBand[1]))
  return `${low.toFixed(3)} – ${high.toFixed(3)}`
}

const powerLawText = (details: SpectrumRow['details']) =>
  details?.powerLaw ? `${details.powerLaw.alpha.toFixed(2)} (${details.powerLaw.tail} σ)` : '–'

function matrixTable(rows: readonly SpectrumRow[]): Markup {
  return table(
    [
      { head: 'Model state', cell: (row) => stateName(row) },
      { head: 'Layer', cell: (row) => row.layer, kind: 'number' },
      { head: 'Module', cell: (row) => row.module },
      { head: 'Shape', cell: (row) => row.shape.join(' × '), kind: 'number' },
      {
        head: 'Intruders',
        cell: (row) => `${row.intruders} of ${row.alignment.length}`,
        kind: 'number',
      },
      { head: 'Their energy', cell: (row) => percent(row.intruderEnergyShare), kind: 'number' },
      {
        head: 'Lowest c',
        cell: (row) => (row.alignment.length === 0 ? '–' : Math.min(...row.alignment).toFixed(3)),
        kind: 'number',
      },
      {
        head: 'Its p by chance',
        cell: ({ nullP }) => (nullP.length === 0 ? '–' : Math.max(...nullP).toPrecision(2)),
        kind: 'number',
      },
      { head: 'Null band', cell: bandText, kind: 'number' },
      { head: 'ε', cell: (row) => row.epsilon, kind: 'number' },
      {
        head: 'Effective rank of ΔW',
        cell: (row) => fixed(row.effectiveRankOfChange, 2),
        kind: 'number',
      },
      { head: '‖ΔW‖ / ‖W‖', cell: (row) => percent(row.relativeChange), kind: 'number' },
      {
        head: 'Stable rank of W',
        cell: ({ details }) => fixed(details?.stableRank ?? null, 2),
        kind: 'number',
      },
      {
        head: 'Stable rank of ΔW',
        cell: ({ details }) => fixed(details?.stableRankOfChange ?? null, 2),
        kind: 'number',
      },
      {
        head: 'Least subspace energy',
        cell: ({ details }) =>
          details && details.subspaceEnergy.length > 0
            ? fixed(Math.min(...details.subspaceEnergy), 3)
            : '–',
        kind: 'number',
      },
      { head: 'Power-law α', cell: ({ details }) => powerLawText(details), kind: 'number' },
    ],
    rows,
  )
}
