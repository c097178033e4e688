/** @file `touchstone cell`: one cell of a planned sweep, without a database, for batch systems and for looking closely. */
import { z } from 'zod'
import type { CellResult, PlannedCell } from '../../../contract/sweeps.ts'
import { TouchstoneError } from '../../../errors/touchstone-error.ts'
import { readPlan, readResult, resultPath } from '../../../sweeps/files.ts'
import { createCellRunner } from '../../../sweeps/cells/run-cell.ts'
import type { Command } from '../../command.ts'
import { EXIT } from '../../../runs/options/exit-codes.ts'
import { reportFailure } from '../../failure.ts'
import { fieldsOf } from '../../../runs/options/fields.ts'
import { parseFlags } from '../../../runs/options/flags.ts'
import { watchSignals } from '../../signals.ts'

const CellOptions = z.object({
  plan: z.string().min(1).meta({ help: 'The plan.jsonl of a sweep', value: 'FILE' }),
  index: z.int().min(0).meta({ help: 'Which line of the plan, from 0' }),
  json: z.boolean().default(false).meta({ help: 'The result as JSON on standard output' }),
})

export const cell: Command = {
  name: 'cell',
  summary: 'Runs one cell of a planned sweep and writes its result beside the plan.',
  remark: 'A cell whose result is there already is not run again. No database is touched.',
  examples: ['touchstone cell --plan out/sweep/sweeps/0123456789abcdef/plan.jsonl --index 0'],
  options: [{ title: 'Options', fields: fieldsOf(CellOptions) }],
  async run(argv, io) {
    const { plan, index, json } = parseFlags(CellOptions, argv, io.environment)
    const cells = await readPlan(plan)
    const planned = cells[index]
    if (!planned) {
      throw new TouchstoneError('sweep.no-cell', { path: plan, index, cells: cells.length })
    }
    const found = await readResult(plan, planned.key)
    const isDone = found?.status === 'done'
    const result = isDone ? found : await runOne(plan, planned)
    if (typeof result === 'number') return result
    if (json) io.stdout.write(`${JSON.stringify(result)}\n`)
    else if (result.error) reportFailure(result.error, false, io)
    else
      io.stdout.write(
        `${isDone ? 'Was there already' : 'Done'}: ${resultPath(plan, planned.key)}\n`,
      )
    return result.error ? EXIT.error : EXIT.ok
  },
}

/** The cell's result, or the exit code where a signal stopped it. */
async function runOne(plan: string, planned: PlannedCell): Promise<CellResult | number> {
  const watch = watchSignals(() => undefined)
  const runner = createCellRunner(plan)
  try {
    return await runner.run(planned, watch.signal)
  } catch (error) {
    const code = watch.exitCode()
    if (code === undefined) throw error
    return code
  } finally {
    watch.stop()
    await runner.close()
  }
}
