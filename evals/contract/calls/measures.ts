/** @file What was measured beside replies: spectra of weights, cells of sweeps. */
import { z } from 'zod'
import { call, Page, RunRef } from '../call.ts'
import { SpectrumRow, SubjectKey } from '../rows.ts'
import { CellRow, Sweep } from '../sweeps.ts'

export const spectrum = {
  states: call(RunRef, z.array(SubjectKey.extend({ matrices: z.int(), intruders: z.int() }))),
  /** Every matrix of one state, `details` left out: they are long. */
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
  /** What the cells say together; null before the first is settled. */
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
