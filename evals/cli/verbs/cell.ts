/** @file `touchstone cell`: one cell of a planned sweep, without a database, for batch systems and for looking closely. */
import { z } from 'zod'
import type { CellResult, PlannedCell } from '../../contract/sweeps.ts'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { readPlan, readResult, resultPath } from '../../sweeps/files.ts'
import { createCellRunner } from '../../sweeps/cells/run-cell.ts'
import { command } from '../command.ts'
import { EXIT } from '../../runs/options/exit-codes.ts'
import { reportFailure } from '../failure.ts'
import { text } from '../../runs/options/common.ts'
import { watchSignals } from '../signals.ts'

const CellOptions = z.object({
  plan: text.meta({ help: 'The plan.jsonl of a sweep', value: 'FILE' }),
  index: z.int().min(0).meta({ help: 'Which line of the plan, from 0' }),
})

export const cell = command({
  schema: CellOptions,
  remark: 'A cell whose result is there already is not run again. No database is touched.',
  examples: ['touchstone cell --plan out/sweep/sweeps/0123456789abcdef/plan.jsonl --index 0'],
  async run({ options: { plan, index, json }, io, tell }) {
    const cells = await readPlan(plan)
    const planned = cells[index]
    if (!planned) {
      throw new TouchstoneError('sweep.no-cell', { path: plan, index, cells: cells.length })
    }
    const found = await readResult(plan, planned.key)
    const isDone = found?.status === 'done'
    const result = isDone ? found : await runOne(plan, planned)
    if (typeof result === 'number') return result
    const how = isDone ? 'Was there already' : 'Done'
    if (result.error && !json) reportFailure(result.error, false, io)
    else tell(result, `${how}: ${resultPath(plan, planned.key)}\n`)
    return result.error ? EXIT.error : EXIT.ok
  },
})

/** The cell's result, or the exit code where a signal stopped it. */
async function runOne(plan: string, planned: PlannedCell): Promise<CellResult | number> {
  const watch = watchSignals(() => undefined)
  const runner = createCellRunner(plan)
  try {
    return (await runner.run([planned], watch.signal))[0]!
  } catch (error) {
    const code = watch.exitCode()
    if (code === undefined) throw error
    return code
  } finally {
    watch.stop()
    await runner.close()
  }
}
