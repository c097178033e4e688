/** @file What a budget does not say. */
import type { Budget } from '../../contract/budget.ts'
import { counted } from '../../contract/words.ts'

export function budgetLimits({ lines, cells, curves }: Budget): string[] {
  const seeds = lines.flatMap((line) => line.seeds)
  const odd = seeds.filter(({ isMonotone }) => !isMonotone).length
  const failed = seeds.filter(({ outcome }) => outcome === 'error').length
  const found = [
    'A budget holds for this data, these prompts, these settings and this family of methods. It never says that a model is safe against fine-tuning: another method may take less.',
    'FAIL means that the gate showed a harm beyond the margin; with few prompts that takes a larger harm, so a budget also depends on how many prompts were asked.',
    'The search takes it that a larger budget fails where a smaller one did, and tried one further budget below and one above each threshold.',
    'Intervals are over seeds alone. The limit of a worst rate counts prompts as independent.',
  ]
  return [
    ...(curves.length > 0 ? [] : found),
    ...(odd > 0
      ? [
          `${odd} of ${counted(seeds.length, 'line')} held at a larger budget than one that failed: its smallest failing budget stands, among those that were tried.`,
        ]
      : []),
    ...(failed > 0
      ? [
          `${counted(failed, 'line')} ended in an error and ${failed === 1 ? 'is' : 'are'} left out; where failing depends on the budget, what remains is a chosen sample.`,
        ]
      : []),
    ...(curves.length > 0
      ? [
          'Of a model that people use one configuration is shown over its steps; a band is the range of the seeds that were run.',
        ]
      : []),
    ...(cells.done === 0 ? ['No cell was finished.'] : []),
  ]
}
