/** @file The replies of a run that are kept apart, to one private file, once it stands in the run's log who asked why. */
import { plainText } from '../document/plain-text.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { writePrivately } from '../files/private-file.ts'
import { appendToRun } from './append-to-run.ts'
import type { NamedRun } from './named-run.ts'

/** As JSON lines. Throws `interchange.nothing` where no reply is kept apart. */
export async function unblindRun(
  { store, run: { id: runId }, folder }: NamedRun,
  reason: string,
  output: string,
): Promise<{ run: string; count: number }> {
  const sealed = store.sealed(runId)
  if (sealed.length === 0) throw new TouchstoneError('interchange.nothing', { run: runId })
  // Logged when the file is on disk and before it has its name.
  await writePrivately(output, sealed.map((row) => `${JSON.stringify(row)}\n`).join(''), () =>
    logUnblinding({ store, folder, runId }, reason),
  )
  return { run: runId, count: sealed.length }
}

/** On disk before it returns. */
export const logUnblinding = (run: Parameters<typeof appendToRun>[0], reason: string): void =>
  appendToRun(run, { type: 'unblinded', reason: plainText(reason, 500) })
