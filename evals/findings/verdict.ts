/** @file The gate's decision in words, with notes; what is said where there was nothing to decide. */
import type { GateResult } from '../contract/gate.ts'
import type { Results } from '../contract/results.ts'
import { firstJudge } from '../contract/keys.ts'
import type { Measured } from './judged.ts'
import { notesOf } from './notes.ts'

export function verdictOf(
  results: Measured,
  gate: GateResult | null,
  margin: number,
): Results['verdict'] {
  return {
    outcome: gate?.outcome ?? 'INCONCLUSIVE',
    judge: [...new Set(results.benchmarks.map(firstJudge))].join(', '),
    margin,
    headline: gate?.headline ?? nothingCompared(results),
    findings: (gate?.claims ?? []).map(
      ({ arm, benchmark, role, outcome, open, measures, sentence }) => ({
        arm,
        benchmark,
        role,
        outcome,
        sentence,
        ...(open && { open }),
        ...(measures && { measures }),
      }),
    ),
    notes: notesOf(results),
  }
}

function nothingCompared({ evaluations }: Measured): string {
  const hasBase = evaluations.some(({ arm }) => arm === 'base')
  const hasArm = evaluations.some(({ arm }) => arm !== 'base')
  if (hasBase && !hasArm) {
    return 'Only the base was measured; there is no fine-tune to compare it with.'
  }
  return hasArm
    ? 'The base was not measured on these benchmarks; there is nothing to compare with.'
    : 'Nothing was measured.'
}
