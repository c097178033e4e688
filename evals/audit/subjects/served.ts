/** @file An audit of models behind addresses: their replies alone, since nothing shows their weights. */
import { basename, join } from 'node:path'
import { emitLog, type JobContext, type PlanLine, type Progress } from '../../contract/job.ts'
import type { SubjectIdentity, SubjectKey } from '../../contract/rows.ts'
import type { LeftOut } from '../../contract/subjects/served.ts'
import { usageError } from '../../errors/touchstone-error.ts'
import { requireMeasured, storedGate } from '../../findings/gate/gate-file.ts'
import { repliesOf, sourceNotes, type PreparedBenchmark } from '../../measure/benchmark-sources.ts'
import { candidateNames } from '../../measure/candidate.ts'
import { candidatesOf } from '../../measure/derived/specs.ts'
import { benchmarkRow, evaluate, type EvaluationPlan } from '../../measure/evaluate.ts'
import { judgeRows, openJudges } from '../../measure/open-judges.ts'
import {
  sendingNotes,
  isServed,
  requireOwnTemplate,
  servedName,
} from '../../measure/served/address.ts'
import { openJournal } from '../../measure/served/journal.ts'
import { requireNamesHeeded } from '../../measure/served/names.ts'
import { openServed } from '../../measure/served/open.ts'
import { servedPlan, type Abilities, type ServedPlan } from '../../measure/served/plan.ts'
import { repeatBase } from '../../measure/served/repeats.ts'
import { servedSubject, type ServedModel } from '../../measure/served/subject.ts'
import { lostOf } from '../../measure/served/whole.ts'
import { neutralTexts } from '../../measure/sources.ts'
import { textArtifact, textNotes } from '../../measure/perplexity.ts'
import { chooseDevice } from '../../runtime/device.ts'
import type { AuditConfig } from '../config.ts'
import type { AuditWork, SubjectKind } from './kind.ts'

export const servedModels: SubjectKind = { owns: isServed, plan: planServed, run: runServed }

function requireRepliesAlone({ config, evaluates }: AuditWork): void {
  if (config.sequential !== null) {
    throw usageError(
      `${config.model} is served: its replies are asked for at once, and --sequential has no looks at them.`,
      'Leave --sequential out.',
    )
  }
  const { methods, mitigate, remedy, candidates, templateVars } = config
  requireOwnTemplate(config.model, templateVars)
  const made = candidatesOf(config).length > candidates.length
  if (evaluates && methods.length + mitigate.length + remedy.length === 0 && !made) return
  throw usageError(
    `${config.model} is served: its weights cannot be trained, merged, compressed or scaled from here.`,
    'Name the folder of the model, or leave the methods out: a served model is asked for replies.',
  )
}

const requireGated = (config: AuditConfig, benchmarks: readonly PreparedBenchmark[]): void =>
  requireMeasured(
    storedGate(config),
    benchmarks.flatMap(({ benchmark, context }) => (context ? [] : benchmark)),
  )

/** Nothing is asked of an address for a plan. */
async function planServed(config: AuditConfig, evaluates: boolean): Promise<PlanLine[]> {
  requireRepliesAlone({ config, evaluates })
  const judges = await openJudges(config, chooseDevice(config.device), new AbortController().signal)
  await judges.close()
  const { benchmarks } = await servedPlan(config, judges.judges)
  requireGated(config, benchmarks)
  const states = 1 + config.candidates.length
  const again = config.repeatBase - 1
  return benchmarks.map((prepared) => ({
    what: `${prepared.benchmark.title}: ${prepared.samples.length} prompts × ${states} served models, and the base ${again} more times`,
    count: repliesOf(prepared) * states + prepared.samples.length * again,
    unit: 'prompt',
    seconds: null,
  }))
}

interface Asked {
  readonly key: SubjectKey
  readonly model: ServedModel
}

async function runServed(work: AuditWork, context: JobContext, progress: Progress): Promise<void> {
  requireRepliesAlone(work)
  const { config } = work
  const open: Asked[] = []
  const judges = await openJudges(config, chooseDevice(config.device), context.signal)
  try {
    tellWhereTo(config, context)
    for (const row of judgeRows(judges.judges)) context.emit({ type: 'artifact', row })
    for (const each of statesOf(config)) open.push(await openOne(each, config, context, progress))
    await requireNamesHeeded(
      open.map(({ model }) => model),
      context.signal,
    )
    const abilities = sharedAbilities(open, context.signal)
    const plan = await servedPlan(config, judges.judges, abilities)
    requireGated(config, plan.benchmarks)
    const { benchmarks, texts } = plan
    for (const message of [...sourceNotes(benchmarks), ...textNotes(texts), ...judges.notes])
      emitLog(context, 'info', message)
    for (const text of texts) context.emit({ type: 'artifact', row: textArtifact(text) })
    tellStates(open, plan, context)
    const scores = abilities.givenLogProbs !== null
    const neutral = scores ? await neutralTexts(benchmarks, config.limit) : []
    const finished = progress.evaluations
    const evaluation = { benchmarks, texts, neutral, finished, judges: judges.judges }
    await measure(open, { evaluation, config }, context, progress)
  } finally {
    open.forEach(({ model }) => model.fleet.close())
    await judges.close()
  }
}

/** The base twice: before its candidates and after them, so that a server that changed on the way is seen. */
async function measure(
  open: readonly Asked[],
  { evaluation, config }: { readonly evaluation: EvaluationPlan; readonly config: AuditConfig },
  context: JobContext,
  progress: Progress,
): Promise<void> {
  for (const { key, model } of open) await evaluate(servedSubject(model), key, evaluation, context)
  const { repeats: stored = [] } = progress.rows()
  const { benchmarks, judges = [] } = evaluation
  const repeating = { benchmarks, judges, times: config.repeatBase, stored }
  await repeatBase(open[0]!.model, repeating, context)
  context.flush()
  for (const { model } of open) await model.journal.remove()
}

interface Named {
  readonly name: string
  readonly arm: string
  readonly title: string
}

function statesOf({ model, candidates }: AuditConfig): Named[] {
  const shownName = (name: string) => servedName(name).model ?? servedName(name).urls[0]!.host
  const arms = candidateNames(candidates.map((name) => shownName(name)))
  return [
    { name: model, arm: 'base', title: `Base: ${model}` },
    ...candidates.map((name, i) => ({
      name,
      arm: arms[i]!,
      title: `Served ${basename(shownName(name))}`,
    })),
  ]
}

async function openOne(
  { name, arm, title }: Named,
  config: AuditConfig,
  { workspace, signal }: JobContext,
  progress: Progress,
): Promise<Asked> {
  const key = { arm, seed: 0, step: 0 }
  const journal = await openJournal(join(workspace, 'served', `${encodeURIComponent(arm)}.jsonl`))
  const found = progress.rows().subjects.find((row) => row.arm === arm)?.served
  const known = found && { model: found.answersAs, fingerprint: found.fingerprint }
  const model = await openServed(name, config, { own: { arm, title }, journal, known, signal })
  return { key, model }
}

/** What every one of them can be asked, so that they are asked alike. */
const sharedAbilities = (open: readonly Asked[], signal: AbortSignal): Abilities => {
  const all = open.map(({ model }) => model.facts.capabilities)
  const [first] = all
  const sameWay = all.every(({ givenLogProbs }) => givenLogProbs === first!.givenLogProbs)
  return {
    givenLogProbs: sameWay ? first!.givenLogProbs : null,
    systemRole: all.every(({ systemRole }) => systemRole),
    async lost(prompts) {
      for (const { model } of open) {
        const lost = await lostOf(model, prompts, signal)
        if (lost !== undefined) return lost
      }
      return undefined
    },
  }
}

function tellWhereTo(config: AuditConfig, context: JobContext): void {
  const names = [config.model, ...config.candidates]
  for (const note of sendingNotes(names, config.sendPrompts)) emitLog(context, 'info', note)
}

function tellStates(
  open: readonly Asked[],
  { benchmarks, unasked, leftOut }: ServedPlan,
  context: JobContext,
): void {
  for (const prepared of [...benchmarks, ...unasked])
    context.emit({ type: 'benchmark', row: benchmarkRow(prepared) })
  for (const { model } of open) context.emit({ type: 'subject', row: withLeftOut(model, leftOut) })
}

const withLeftOut = (
  { identity, facts }: ServedModel,
  leftOut: readonly LeftOut[],
): SubjectIdentity => ({
  ...identity,
  served: { ...facts, leftOut: [...leftOut] },
})
