/** @file The plan that `--dry-run` prints: what would be done, how often, and for how long. */
import { approximationOf, cacheApproximationOf } from '../../contract/approximate.ts'
import { candidatesOf } from '../../measure/derived/specs.ts'
import { MITIGATIONS } from '../../contract/mitigation.ts'
import { templateVariablesOf } from '../../models/text/template-variables.ts'
import type { PlanLine } from '../../contract/job.ts'
import type { MethodChoice } from '../../finetune/method-choice.ts'
import { bindMethod } from '../../finetune/registry.ts'
import { requireMeasured, storedGate } from '../../findings/gate/gate-file.ts'
import { isGuarded } from '../../judges/guard.ts'
import { replyTokens } from '../../inference/prompt.ts'
import type { OpenModel } from '../../models/checkpoint.ts'
import { requirePrecision } from '../../models/load.ts'
import { openModel } from '../../models/open-model.ts'
import { recognise, type Model } from '../../models/registry.ts'
import { chooseDevice, type Device } from '../../runtime/device.ts'
import { checkCandidate } from '../../measure/candidate.ts'
import { requireReadable } from '../../measure/class-evaluation.ts'
import { plannedClasses } from '../../measure/classes.ts'
import type { AuditConfig } from '../config.ts'
import { endsInLowRank } from '../../arms/arm-adapter.ts'
import { askedByBisection, evaluationSteps } from '../../contract/gate/steps.ts'
import {
  generationSeconds,
  measureRate,
  trainingSeconds,
  workSize,
  type AnswersToWrite,
  type WorkSize,
} from './estimate.ts'
import { counted, listed } from '../../contract/words.ts'
import {
  chosenDecoding,
  repliesOf,
  type PreparedBenchmark,
} from '../../measure/benchmark-sources.ts'
import { prepareInContexts } from '../../measure/contexts.ts'
import { clustersAmong, clustersText } from '../../measure/sample-clusters.ts'
import { openJudges, withJudges } from '../../measure/open-judges.ts'
import { prepareTexts } from '../../measure/perplexity.ts'
import { modelPath } from '../../models/model-path.ts'
import { dataOf } from '../arm-plans.ts'
import { askedOn, requireCache, type Base } from '../../measure/base.ts'
import { requireForward } from '../forward.ts'
import {
  refusalMarginPlan,
  promptsOf,
  type RefusalMarginPlan,
} from '../../measure/live-refusal-margin.ts'
import { checkRemedies } from '../remedies.ts'
import { CHARACTERS_PER_TOKEN, textOf, tokensOf } from './tokens.ts'
import { remedyLines } from './remedy-lines.ts'
import { spectraLines } from './spectra-line.ts'
import { keptText } from './memory.ts'
import { fitted, tooLargeHere } from './memory-budget.ts'
import { neutralTexts, type TrainingData } from '../../measure/sources.ts'

/** Tokens of the openings of `refusal-logprob`, as passes over all of them in one batch. */
const OPENING_TOKENS = 5
/** The base scores each reply once, for the guard against degenerate text. */
const underBase = (
  work: AnswersToWrite,
  { samples, decoding }: PreparedBenchmark,
): AnswersToWrite => ({
  ...work,
  prompts: samples.filter(({ expected }) => isGuarded(expected)).length * decoding.samples,
  promptTokens: work.promptTokens + work.newTokens,
  newTokens: 0,
})

/** Number of trainings, evaluations and so on, from the configuration alone. */
interface Counts {
  readonly arms: number
  /** Largest number of arms that are trained again to the loss of another; a state at that loss may exist already. */
  readonly matched: number
  /** Model states that are evaluated. */
  readonly states: number
  readonly spectra: number
  /** Of `spectra`, those of fine-tunes whose change is of full rank. */
  readonly whole: number
}

/** @param writes whether the model writes replies, of which a start’s are the base’s */
export function countsOf(config: AuditConfig, writes: boolean): Counts {
  const { methods, seeds, training, evalEvery, mitigate, matchLoss } = config
  const candidates = candidatesOf(config)
  const arms = methods.length * seeds.length
  const matched = matchLoss && methods.length > 1 ? arms : 0
  const whole = methods.filter((choice) => !endsInLowRank(bindMethod(choice))).length
  const mitigated = mitigate.length * MITIGATIONS.length * (candidates.length + arms)
  const bisected = askedByBisection(config)
  const steps = bisected ?? evaluationSteps(training.steps, evalEvery).length
  const isCopied = writes && chosenDecoding(config).temperature === 0
  const ofMethod = (choice: MethodChoice) => {
    const { cut, identityAtStart } = bindMethod(choice)
    // A cut model is asked beside what is recovered from it.
    const copied = isCopied && identityAtStart && bisected === undefined ? 1 : 0
    return steps - copied + (cut ? steps : 0)
  }
  const onTheWay = seeds.length * methods.reduce((sum, choice) => sum + ofMethod(choice), 0)
  return {
    arms,
    matched,
    states: 1 + candidates.length + onTheWay + matched + mitigated,
    spectra: candidates.length + arms + matched,
    whole: (whole * (arms + matched)) / Math.max(1, methods.length),
  }
}

interface Machine {
  readonly size: WorkSize
  readonly rate: number
}

interface Writing extends Machine {
  readonly open: Pick<OpenModel, 'template'>
  readonly bytes: number
}

/** Throws where the model cannot be kept as is asked for. */
function recognised(open: OpenModel, { basePrecision }: AuditConfig) {
  const model = recognise(open.checkpoint)
  requirePrecision(open.checkpoint, model, basePrecision)
  return { open, model }
}

/**
 * @param freeBytes what this machine has free
 * @param against a fine-tune whose spectra are compared with in place of the model's
 */
export async function planOf(
  asked: AuditConfig,
  evaluates: boolean,
  freeBytes = process.availableMemory(),
  against: string | null = null,
): Promise<PlanLine[]> {
  const open = await openModel(modelPath(asked.model), templateVariablesOf(asked.templateVars))
  const data = asked.methods.length > 0 ? await dataOf(asked) : undefined
  const own = recognised(open, asked)
  const device = chooseDevice(asked.device, asked.threads ?? undefined)
  requireCache(askedOn(device, asked), own.model)
  const compared = await comparedWith({ ...own, device: askedOn(device, asked) }, asked, against)
  const opened = plannedClasses(own, data)
  const { model } = opened
  if (evaluates) requireReadable(opened, asked)
  const checking = evaluates ? checkedBenchmarks(asked, opened, device) : Promise.resolve([])
  const request = { opened, config: asked, data, evaluates }
  const fitting = requireForward(asked, { model, device }).then(async () => {
    const fit = await fitted(request)
    return { ...fit, tooLarge: await tooLargeHere(request, fit.bytes, freeBytes) }
  })
  const [fit, benchmarks] = await Promise.all([fitting, checking]).finally(() => open.close())
  const { config, bytes, why, tooLarge } = fit
  const rate = await measureRate(device)
  const machine = { size: workSize(model.weights), rate }
  const writes = model.architecture.kind === 'decoder'
  const counts = countsOf(evaluates ? config : { ...config, matchLoss: false }, writes)
  const training = trainingLines(config, counts, { ...machine, data, bytes, why, model })
  const asking = evaluates
    ? await evaluationLines(config, counts, { ...machine, open, benchmarks, writes, bytes })
    : []
  const lines = [
    ...training,
    ...asking,
    ...remedyLines(config, counts, { training, asking, benchmarks, data, model, rate }),
    ...(config.spectra ? spectraLines(config, { ...compared, counts, model }) : []),
  ]
  return lines.map((line) => (tooLarge && line.bytes === bytes ? { ...line, tooLarge } : line))
}

/** Throws where a fine-tune, or what a remedy names, cannot be opened on the model. */
async function comparedWith(
  own: Pick<Base, 'model' | 'device'>,
  asked: AuditConfig,
  against: string | null,
) {
  await checkRemedies(asked, own.model)
  const candidates = candidatesOf(asked)
  const from = against === null ? new Set<string>() : await checkCandidate(own, against)
  const changed: ReadonlySet<string>[] = []
  for (const path of candidates) {
    const names = await checkCandidate(own, path)
    if (names && from) changed.push(new Set([...names, ...from]))
  }
  // Only against the model itself is an adapter's change of low rank.
  const lowRank = against === null ? changed.length : 0
  return { changed, ofFullRank: candidates.length - lowRank }
}

/** Suites, judges and the gate, opened as the run would, so that what is wrong with them is known before any model answers. */
async function checkedBenchmarks(
  asked: AuditConfig,
  opened: Planned,
  device: Device,
): Promise<PreparedBenchmark[]> {
  const { signal } = new AbortController()
  const opening = await openJudges(asked, device, signal)
  await opening.close()
  const benchmarks = withJudges(await prepareInContexts(asked, opened), opening.judges)
  requireMeasured(
    storedGate(asked),
    benchmarks.flatMap(({ benchmark, context }) => (context ? [] : benchmark)),
  )
  return benchmarks
}

type Planned = Parameters<typeof prepareInContexts>[1]

interface Trained {
  readonly data: TrainingData | undefined
  readonly bytes: number
  /** About a memory budget. */
  readonly why: string | undefined
  readonly model: Pick<Model, 'weights'>
}

function trainingLines(
  config: AuditConfig,
  { arms, matched }: Counts,
  { size, rate, data, bytes, why, model }: Machine & Trained,
): PlanLine[] {
  if (!data || arms === 0) return []
  const { steps, batchSize, gradientAccumulationSteps } = config.training
  const { conversations, title } = data
  const rows = batchSize * gradientAccumulationSteps
  const tokens = rows * tokensOf(conversations.map(textOf))
  const once = config.methods.reduce(
    (sum, choice) =>
      sum + trainingSeconds(size, rate, steps, tokens, bindMethod(choice).toPeft !== undefined),
    0,
  )
  const seconds = once * config.seeds.length
  const work = `read ${conversations.length} rows of ${title}; fine-tune ${arms} variants of ${steps} steps of ${rows} rows`
  const kept = keptText(model, config.basePrecision)
  const remarks = [why, kept, approximationOf(config)].filter((text) => text !== undefined)
  const what = remarks.length === 0 ? work : `${work}. ${remarks.join(' ')}`
  const again = `train them again to the loss that all reach, at most ${steps} steps each`
  return [
    { what, count: arms * steps, unit: 'step', seconds, bytes },
    ...(matched > 0
      ? [{ what: again, count: matched * steps, unit: 'step' as const, seconds }]
      : []),
  ]
}

async function evaluationLines(
  config: AuditConfig,
  { states }: Counts,
  machine: Writing & {
    readonly benchmarks: readonly PreparedBenchmark[]
    readonly writes: boolean
  },
): Promise<PlanLine[]> {
  const { benchmarks } = machine
  const plain = benchmarks.filter(({ context }) => !context)
  const margin = refusalMarginPlan(config.leaningEvery, plain)
  const lineOf = (prepared: PreparedBenchmark) => benchmarkLine(prepared, states, config, machine)
  return [
    ...(margin ? [marginLine(config, margin, machine)] : []),
    ...plain.flatMap((prepared) => [
      lineOf(prepared),
      ...contextsLine(prepared, benchmarks, states, lineOf),
    ]),
    ...(await textLines(config, states, machine)),
    ...(machine.writes ? [await neutralLine(config, benchmarks, states, machine)] : []),
  ]
}

function benchmarkLine(
  prepared: PreparedBenchmark,
  states: number,
  config: AuditConfig,
  { open, size, rate, bytes }: Writing,
): PlanLine {
  const { benchmark, samples, decoding } = prepared
  const drawn = decoding.samples > 1 ? ` × ${decoding.samples} samples` : ''
  const promptTokens = tokensOf(samples.map(({ messages }) => textOf(messages)))
  const newTokens = replyTokens(open, { ...decoding, ...benchmark })
  const work = {
    prompts: repliesOf(prepared),
    promptTokens,
    newTokens,
    batchSize: config.batchSize,
  }
  const clusters = clustersText(clustersAmong(samples))
  const what = `${benchmark.title}: ${samples.length} prompts${drawn} × ${states} checkpoints; ${clusters}${benchmark.reading ? `; ${benchmark.reading}` : ''}`
  return {
    what: [what, ...atMost(config)].join('; at most, '),
    count: repliesOf(prepared) * states,
    unit: 'prompt',
    bytes,
    seconds:
      states * generationSeconds(size, rate, work) +
      (states - 1) * generationSeconds(size, rate, underBase(work, prepared)),
  }
}

/** Why fewer may be asked. */
function atMost({ bisect, sequential, looks, training, evalEvery }: AuditConfig): string[] {
  const all = evaluationSteps(training.steps, evalEvery).length
  const why = [
    ...(sequential === null ? [] : [`with up to ${looks} looks (--sequential ${sequential})`]),
    ...(bisect ? [`by bisection of ${counted(all, 'checkpoint')} of a training`] : []),
  ]
  return why.length === 0 ? [] : [listed(why)]
}

/** All contexts of a benchmark in one line, and those in which the model cannot be asked. */
function contextsLine(
  { benchmark: { name, title } }: PreparedBenchmark,
  benchmarks: readonly PreparedBenchmark[],
  states: number,
  lineOf: (prepared: PreparedBenchmark) => PlanLine,
): PlanLine[] {
  const own = benchmarks.filter(({ context }) => context?.of === name)
  if (own.length === 0) return []
  const asked = own.filter(({ context }) => context!.unasked === undefined)
  const lines = asked.map(lineOf)
  const sum = (numbers: readonly number[]) => numbers.reduce((total, value) => total + value, 0)
  const prompts = sum(asked.map(({ samples }) => samples.length))
  const left = own.flatMap(({ context }) =>
    context!.unasked ? [`${context!.title} (${context!.unasked})`] : [],
  )
  const without = left.length > 0 ? `; not measurable on this model: ${left.join(', ')}` : ''
  const work = `${title}, in ${counted(asked.length, 'context')}: ${prompts} prompts × ${states} checkpoints`
  return [
    {
      what: work + without,
      count: sum(lines.map(({ count }) => count)),
      unit: 'prompt',
      seconds: sum(lines.map(({ seconds }) => seconds ?? 0)),
    },
  ]
}

async function textLines(
  config: AuditConfig,
  states: number,
  { size, rate }: Machine,
): Promise<PlanLine[]> {
  return (await prepareTexts(config)).map(({ name, textBytes, words, window }): PlanLine => {
    const prompts = Math.ceil(textBytes / CHARACTERS_PER_TOKEN / window)
    const batch = { prompts, promptTokens: window, newTokens: 0, batchSize: 1 }
    return {
      what: `${name}: ${words} words × ${states} checkpoints`,
      count: states,
      unit: 'text',
      seconds: states * generationSeconds(size, rate, batch),
    }
  })
}

async function neutralLine(
  config: AuditConfig,
  benchmarks: readonly PreparedBenchmark[],
  states: number,
  { size, rate }: Machine,
): Promise<PlanLine> {
  const { limit, batchSize } = config
  const neutral = await neutralTexts(benchmarks, limit)
  const promptTokens = tokensOf(neutral.map(({ text }) => text))
  const work = { prompts: neutral.length, promptTokens, newTokens: 0, batchSize }
  return {
    what: [`neutral text × ${states} checkpoints`, cacheApproximationOf(config) ?? []]
      .flat()
      .join('. '),
    count: neutral.length * states,
    unit: 'text',
    seconds: states * generationSeconds(size, rate, work),
  }
}

/** A measurement reads its prompts once, and then a few tokens of each opening. */
function marginLine(
  { methods, seeds, training, batchSize }: AuditConfig,
  plan: RefusalMarginPlan,
  { size, rate }: Machine,
): PlanLine {
  const prompts = promptsOf(plan)
  const looks = methods.length * seeds.length * (1 + Math.floor(training.steps / plan.every))
  const promptTokens = tokensOf(prompts.map(({ messages }) => textOf(messages)))
  const work = { prompts: prompts.length, promptTokens, newTokens: OPENING_TOKENS, batchSize }
  return {
    what: `refusal margin, while training: ${prompts.length} prompts × ${looks} times`,
    count: prompts.length * looks,
    unit: 'prompt',
    seconds: looks * generationSeconds(size, rate, work),
  }
}
