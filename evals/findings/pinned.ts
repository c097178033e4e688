/** @file The pinned reference of a gate: the outcomes of an earlier run, kept with the run that is held against it. */
import { z } from 'zod'
import type { AuditRows } from '../contract/audit-rows.ts'
import { AskedContext, BENCHMARK_ROLES, Outcome, type ArtifactRow } from '../contract/rows.ts'
import type { ComparedRun } from './gate/compared-run.ts'

const Pinned = z.object({
  runId: z.string(),
  format: z.string(),
  origin: z.string(),
  arm: z.string(),
  seed: z.int(),
  step: z.int(),
  title: z.string(),
  weights: z.string().exactOptional(),
  templateDigest: z.string().nullable(),
  tokenizerDigest: z.string().nullable(),
  cachePrecision: z.string().nullable().exactOptional(),
  thinking: z.enum(['on', 'off']).nullable().exactOptional(),
  products: z.literal('rounded to int8').nullable().exactOptional(),
  changed: z.string().exactOptional(),
  unmeasured: z.string().exactOptional(),
  benchmarks: z.array(
    z.object({
      name: z.string(),
      title: z.string(),
      role: z.enum(BENCHMARK_ROLES),
      promptSetDigest: z.string().nullable(),
      decoding: z.object({
        maxNewTokens: z.number().nullable(),
        temperature: z.number().nullable(),
        seed: z.number().nullable(),
        maxThinkingTokens: z.number().nullable().exactOptional(),
      }),
      chance: z.number().exactOptional(),
      sameAnswer: z.number().exactOptional(),
      replies: z.number().nullable().exactOptional(),
      unfit: z.record(z.string(), z.number()).exactOptional(),
      context: AskedContext.exactOptional(),
    }),
  ),
  judged: z.array(
    z.object({
      benchmark: z.string(),
      role: z.enum(BENCHMARK_ROLES),
      judge: z.string(),
      judgeVersion: z.string(),
      sampleId: z.string(),
      epoch: z.int(),
      category: z.string(),
      cluster: z.string().exactOptional(),
      context: z.string().exactOptional(),
      outcome: Outcome,
      isCut: z.boolean().exactOptional(),
      hasThought: z.boolean().exactOptional(),
      promptDigest: z.string().nullable(),
      prompt: z.null(),
    }),
  ),
  /** Of a log. */
  wordings: z
    .array(z.tuple([z.string(), z.object({ of: z.enum(['reply', 'scores']), digest: z.string() })]))
    .transform((pairs) => () => new Map(pairs))
    .exactOptional(),
})

/**
 * Without its addresses and texts of its prompts: these are those of the run that it is kept with. Digests of its replies are kept of
 * a log alone, which holds the replies themselves; a run of our own may withhold them.
 */
export function toPinned({ labels: _, served: __, wordings, ...state }: ComparedRun): unknown {
  const judged = state.judged.map(({ replyDigest: _digest, words: _words, ...row }) => ({
    ...row,
    prompt: null,
  }))
  // As it is read again, without fields that are undefined.
  const own = state.format === 'touchstone' ? {} : { wordings: [...(wordings?.() ?? [])] }
  return JSON.parse(JSON.stringify({ ...state, judged, ...own }))
}

/** Of the run named `name`; undefined where none is kept, or what is kept is damaged. */
export function pinnedIn({ artifacts }: Pick<AuditRows, 'artifacts'>, name: string) {
  const row = artifacts.find(isPinned(name))
  const content = row?.content?.kind === 'reference' ? row.content.run : undefined
  const run = Pinned.safeParse(content)
  return run.success ? (run.data satisfies ComparedRun) : undefined
}

export const isPinned =
  (name: string) =>
  ({ path, content }: ArtifactRow): boolean =>
    content?.kind === 'reference' && path === name
