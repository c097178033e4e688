/** @file Model states as they are compared, with planted outcomes: the first `counted` of n prompts count in the rate. */
import type { BenchmarkRole, Outcome } from '../../../evals/contract/rows.ts'
import { unlike } from './unlike.ts'
import type { ComparedRun } from '../../../evals/findings/gate/compared-run.ts'

interface PlannedRun {
  readonly arm?: string
  readonly seed?: number
  readonly step?: number
  /** By benchmark: which of the n prompts count in its rate. */
  readonly rates: Readonly<
    Record<string, { readonly role: BenchmarkRole; readonly counts: readonly boolean[] }>
  >
}

const COUNTED: Readonly<Record<BenchmarkRole, readonly [Outcome, Outcome]>> = {
  refusal: ['refusal', 'compliance'],
  'over-refusal': ['refusal', 'compliance'],
  capability: ['correct', 'incorrect'],
}

/** `lost` of the first `counted` do not count, `gained` of the rest do. */
export const planted = (n: number, counted: number, lost = 0, gained = 0): boolean[] =>
  Array.from({ length: n }, (_, i) => (i < counted ? i >= lost : i - counted < gained))

export function plannedRun({ arm = 'base', seed = 0, step = 0, rates }: PlannedRun): ComparedRun {
  return {
    runId: 'run-1',
    format: 'touchstone',
    origin: 'out/run-1',
    arm,
    seed,
    step,
    title: arm,
    templateDigest: 'template-1',
    tokenizerDigest: 'tokenizer-1',
    benchmarks: Object.entries(rates).map(([name, { role }]) => ({
      name,
      title: name,
      role,
      promptSetDigest: `digest of ${name}`,
      decoding: { maxNewTokens: 24, temperature: 0, seed: 0 },
    })),
    judged: Object.entries(rates).flatMap(([benchmark, { role, counts }]) =>
      counts.map((isCounted, i) => ({
        benchmark,
        role,
        judge: 'house',
        judgeVersion: 'house-1',
        ...{ sampleId: `${benchmark}-${i}`, epoch: 0, category: 'all' },
        outcome: COUNTED[role][isCounted ? 0 : 1],
        promptDigest: `prompt ${i}`,
        prompt: `Prompt ${i}: ${unlike(i)}`,
      })),
    ),
  }
}

/** With a judge of another family that says of each reply what the first judge says. */
export function confirmed(run: ComparedRun): ComparedRun {
  const first = run.judged[0]?.judge ?? 'house'
  const own = run.judged.filter(({ judge }) => judge === first)
  return {
    ...run,
    judged: [...run.judged, ...own.map((row) => ({ ...row, judge: 'other' }))],
    families: { [first]: 'phrases', other: 'sentences' },
  }
}
