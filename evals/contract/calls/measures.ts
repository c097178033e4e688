/** @file Spectra of weights and cells of sweeps. */
import { z } from 'zod'
import { call, Page, RunRef } from '../call.ts'
import { SpectrumRow, SubjectKey } from '../rows.ts'
import { CellRow, Sweep } from '../sweeps.ts'

export const spectrum = {
  states: call(RunRef, z.array(SubjectKey.extend({ matrices: z.int(), intruders: z.int() }))),
  /** Every matrix of one state, without the long `details`. */
  rows: call(
    RunRef.extend(SubjectKey.shape),
    z.array(SpectrumRow.omit({ details: true }).extend({ hasDetails: z.boolean() })),
  ),
  /** One matrix with its details. */
  matrix: call(
    RunRef.extend({ ...SubjectKey.shape, layer: z.int(), module: z.string() }),
    SpectrumRow,
  ),
}

export const sweep = {
  /** The summary of the cells; null before the first has ended. */
  summary: call(RunRef, Sweep.omit({ cells: true }).nullable()),
  cells: call(
    RunRef.extend(Page),
    z.object({
      total: z.int(),
      done: z.int(),
      failed: z.int(),
      rows: z.array(CellRow.omit({ curves: true })),
    }),
  ),
  /** Curves of one cell. */
  cell: call(RunRef.extend({ position: z.int().min(0) }), CellRow),
}
