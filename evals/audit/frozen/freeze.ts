/** @file The parts of a plan from a gate and the settings that choose prompts, judges and contexts, without the model that will be asked. */
import { z } from 'zod'
import { AuditConfig } from '../config.ts'
import type { GateRule } from '../../contract/gate/rule.ts'
import { nameIn } from '../../contract/keys.ts'
import type { Plan, PlannedBenchmark, PlanPart, PlanParts } from '../../contract/signed/plan.ts'
import { requireMeasured } from '../../findings/gate/gate-file.ts'
import { canonicalJson } from '../../files/canonical-json.ts'
import { findJudge } from '../../judges/registry.ts'
import type { PreparedBenchmark } from '../../measure/benchmark-sources.ts'
import { EvaluationConfig } from '../../measure/config.ts'
import { prepareFor, type AskedModel } from '../../measure/contexts.ts'
import { benchmarkRow } from '../../measure/evaluate.ts'
import { stoppingRule } from '../../measure/looks/looks.ts'
import { openJudges, withJudges } from '../../measure/open-judges.ts'
import { chooseDevice } from '../../runtime/device.ts'

/** What a command says of prompts, judges, contexts and seeds; a run under the plan takes it from there. */
export const PlanSettings = z.object({
  ...EvaluationConfig.omit({ sendReplies: true, textWindow: true }).shape,
  seeds: AuditConfig.shape.seeds,
})
export type PlanSettings = z.infer<typeof PlanSettings>

/** Takes any conversation of any length: whether a model can is known when it is asked. */
const ANY_MODEL: AskedModel = {
  chats: true,
  clip: (text) => text,
  unaskedBy: () => Promise.resolve(undefined),
}

/** Throws where the gate names a benchmark or judge that is not among these. */
export async function planParts(
  gate: GateRule,
  settings: PlanSettings,
  sendReplies: string | null,
): Promise<PlanParts> {
  const plain = await prepareFor(settings, ANY_MODEL)
  const { signal } = new AbortController()
  const opened = await openJudges(
    { judges: settings.judges, sendReplies, batchSize: 1 },
    chooseDevice('cpu'),
    signal,
  )
  try {
    const prepared = withJudges(plain, opened.judges)
    requireMeasured(
      gate,
      prepared.flatMap(({ benchmark, context }) => (context ? [] : benchmark)),
    )
    const suite = prepared.map(plannedBenchmark)
    const names = [...new Set(suite.flatMap(({ judges }) => judges))]
    const judges = names.map((name) => {
      const judge = opened.judges.find((each) => each.name === name) ?? findJudge(name)
      return { name, version: judge.version }
    })
    const contexts = suite.flatMap(({ context }) => context ?? [])
    const byName = new Map(contexts.map(({ name, digest }) => [name, { name, digest }]))
    const { seeds } = settings
    const stopping = stoppingRule(settings) ?? null
    return { gate, suite, judges, contexts: [...byName.values()], seeds, stopping, settings }
  } finally {
    await opened.close()
  }
}

function plannedBenchmark(prepared: PreparedBenchmark): PlannedBenchmark {
  const { name, title, role, samples, digest, maxNewTokens, judges } = benchmarkRow(prepared)
  const { decoding, context, benchmark } = prepared
  return {
    name: context?.of ?? name,
    title,
    role,
    prompts: samples,
    digest: context ? null : digest,
    maxNewTokens,
    decoding,
    context: context ? { name: context.name, title: context.title, digest: context.digest } : null,
    gain: benchmark.gain ?? null,
    judges,
  }
}

interface Edit {
  readonly part: PlanPart
  /** The benchmark, judge or context; null for the whole part. */
  readonly at: string | null
}

/** In what the files and judges that a plan was frozen from differ from it now; `gate` as its file has it, undefined if not at hand. */
export async function editsSince(
  plan: Plan,
  gate: GateRule | undefined,
  sendReplies: string | null,
): Promise<Edit[]> {
  const settings = PlanSettings.parse(plan.settings)
  const now = await planParts(plan.gate, settings, sendReplies)
  return [
    ...(gate && !isSame(gate, plan.gate) ? [{ part: 'gate' as const, at: null }] : []),
    ...differing('suite', plan.suite, now.suite, ({ name, context }) =>
      nameIn(name, context?.name),
    ),
    ...differing('judges', plan.judges, now.judges, ({ name }) => name),
    ...differing('contexts', plan.contexts, now.contexts, ({ name }) => name),
  ]
}

const isSame = (one: unknown, two: unknown) => canonicalJson(one) === canonicalJson(two)

function differing<T>(
  part: PlanPart,
  planned: readonly T[],
  now: readonly T[],
  nameOf: (each: T) => string,
): Edit[] {
  const [one, two] = [planned, now].map((all) => new Map(all.map((each) => [nameOf(each), each])))
  return [...new Set([...one!.keys(), ...two!.keys()])]
    .filter((at) => !isSame(one!.get(at) ?? null, two!.get(at) ?? null))
    .map((at) => ({ part, at }))
}
