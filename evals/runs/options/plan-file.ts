/** @file A frozen plan read from its file. */
import { readFileSync, statSync } from 'node:fs'
import type { HeldPlan } from '../../contract/signed/plan.ts'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { readPlan } from '../../interchange/statements/plan-file.ts'

/** Far more than any plan needs, in bytes. */
const LONGEST_PLAN = 4_194_304

export function readPlanFile(path: string): HeldPlan {
  const unusable = (why: string) => new TouchstoneError('plan.unusable', { path, why })
  try {
    if (statSync(path).size > LONGEST_PLAN) throw unusable('it is far too long')
    return readPlan(readFileSync(path, 'utf8'), path)
  } catch (error) {
    if (error instanceof TouchstoneError) throw error
    throw unusable(`it cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`)
  }
}
