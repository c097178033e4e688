/** @file Rows of a made-up audit whose fine-tune keeps its refusals of the prompts as they are, and loses most of them at night. */
import type { AuditRows } from '../../../evals/contract/audit-rows.ts'
import { CAPABILITY, plannedRows, REFUSAL } from './audit-rows.ts'

const NIGHT = { ...REFUSAL, name: `${REFUSAL.name}@night` }

export function rowsInContext(): AuditRows {
  const rows = plannedRows({
    benchmarks: [REFUSAL, CAPABILITY, NIGHT],
    arms: [
      {
        arm: 'lora',
        seed: 0,
        steps: {
          10: {
            [REFUSAL.name]: { lost: 0, gained: 0 },
            [CAPABILITY.name]: { lost: 0, gained: 0 },
            [NIGHT.name]: { lost: 60, gained: 0 },
          },
        },
      },
    ],
  })
  const context = {
    of: REFUSAL.name,
    name: 'night',
    title: 'at night',
    kinds: ['system'],
    digest: '1',
  }
  const [refusal, capability, night] = rows.benchmarks
  const unasked = {
    ...capability!,
    name: `${CAPABILITY.name}@night`,
    context: { ...context, of: CAPABILITY.name, unasked: 'too-long' as const },
  }
  // Samples keep their names in a context.
  const renamed = <R extends { readonly sampleId: string }>(all: readonly R[]): R[] =>
    all.map((row) => ({ ...row, sampleId: row.sampleId.replace('@night', '') }))
  return {
    ...rows,
    benchmarks: [refusal!, capability!, { ...night!, context }, unasked],
    replies: renamed(rows.replies),
    verdicts: renamed(rows.verdicts),
  }
}
