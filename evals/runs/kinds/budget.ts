/** @file `touchstone budget`: how much fine-tuning it takes until the gate says FAIL. */
import { anyJobKind } from '../../contract/job.ts'
import { usageError } from '../../errors/touchstone-error.ts'
import { BudgetConfig } from '../../sweeps/budget/config.ts'
import { checkBudget } from '../../sweeps/budget/lines.ts'
import { BUDGET_PRESET } from '../../sweeps/presets.ts'
import type { JobVerb } from './job-verb.ts'

export const budgetVerb: JobVerb = {
  remark:
    'The smallest budget is searched on Pebble and other trainings of Pebble alone. Of any other model one configuration is\nfollowed over its steps, with --purpose. Cells that were run before are not run again.',
  examples: [
    'touchstone budget --methods lora,full --seeds 0..7',
    'touchstone budget --methods lora --along samples=8..512 --steps 64',
    'touchstone budget --methods lora --axis lr=1e-4,3e-4 --against models/pebble-other-seed',
  ],
  schema: BudgetConfig,
  kind: async () => anyJobKind((await import('../../sweeps/budget/job.ts')).budgetJob),
  preset: BUDGET_PRESET,
  writesReports: true,
  resumesByItself: true,
  check: (config) => checkBudgetConfig(config as BudgetConfig),
}

export function checkBudgetConfig(config: BudgetConfig): void {
  if (config.data === null || config.methods.length === 0) {
    throw usageError(
      'A budget is of a fine-tune, and the data or the methods are missing.',
      'Add --data house-tamper and --methods lora.',
    )
  }
  checkBudget(config)
}
