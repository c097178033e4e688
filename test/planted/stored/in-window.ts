/** @file Two runs of one folder as the window compares them and holds them against a gate. */
import { TouchstoneError } from '../../../evals/errors/touchstone-error.ts'
import { openWorkbench } from '../../doubles/engine/open-workbench.ts'
import type { Decided } from '../candidate.ts'

interface State {
  readonly runId: string
  readonly arm: string | null
}

export async function inWindow(folder: string, before: State, after: State): Promise<Decided> {
  const { client, engine } = openWorkbench(folder)
  try {
    const { gate } = await client.run.compare({ before, after, gate: { margin: 0.05 } })
    return { outcome: gate!.outcome, sentence: gate!.headline, claims: gate!.claims }
  } catch (error) {
    if (!(error instanceof TouchstoneError) && !(error as { code?: string }).code) throw error
    return { outcome: 'refused', sentence: String((error as Error).message), claims: [] }
  } finally {
    await engine.close()
  }
}
