/** @file Calls about spectra and sweeps. */
import type { EngineHandlers } from '../../contract/api.ts'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { sweepOf } from '../../sweeps/results.ts'
import type { Home } from '../home.ts'

type Sweeps = EngineHandlers['sweep']

export function measureHandlers(
  home: Home,
): Pick<EngineHandlers, 'spectrum'> & { sweep: Omit<Sweeps, 'summary'> } {
  const pagesOf = (runId: string) => home.find(runId).store.pages
  const missing = (runId: string, what: string) =>
    new TouchstoneError('run.not-found', { run: what, where: runId })
  return {
    spectrum: {
      states: ({ runId }) => pagesOf(runId).spectrumStates(runId),
      rows: ({ runId, ...state }) =>
        pagesOf(runId)
          .spectra(runId, state)
          .map(({ details, ...row }) => ({ ...row, hasDetails: details != null })),
      matrix({ runId, layer, module, ...state }) {
        const rows = pagesOf(runId).spectra(runId, state)
        const found = rows.find((row) => row.layer === layer && row.module === module)
        if (!found) throw missing(runId, `${module} of layer ${layer}`)
        return found
      },
    },
    sweep: {
      cells: ({ runId, ...page }) => pagesOf(runId).cells(runId, page),
      cell({ runId, position }) {
        const found = pagesOf(runId).cell(runId, position)
        if (!found) throw missing(runId, `cell ${position}`)
        return found
      },
    },
  }
}

/** Heavy: reads every cell and tests for peaks. */
export const sweepSummaryHandlers = (home: Home): Pick<Sweeps, 'summary'> => ({
  summary({ runId }) {
    const rows = home.find(runId).store.rows(runId)
    return (rows.cells ?? []).length === 0 ? null : sweepOf(rows)
  },
})
