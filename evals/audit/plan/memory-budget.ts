/**
 * @file `--memory 4GB`: chooses whether blocks are recomputed in the backward pass. Training runs without recomputation if that
 * fits into the budget, else with it, else an error names settings that fit. `--checkpointing` always recomputes, and must
 * fit too.
 */
import { mkdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { gibibytes } from '../../errors/gibibytes.ts'
import { bindMethod } from '../../finetune/registry.ts'
import { trainedSize } from '../../finetune/training/trained-size.ts'
import { CACHE_PRECISIONS } from '../../contract/approximate.ts'
import { emitLog, type FittingFlags, type JobContext, type PlanLine } from '../../contract/job.ts'
import { tooLargeText } from '../../contract/document/too-large.ts'
import { readJson } from '../../files/read-file.ts'
import { writeAtomically } from '../../files/write-file.ts'
import { sha256OfFile } from '../../files/digest.ts'
import { isEncoder } from '../../models/registry.ts'
import type { AuditConfig } from '../config.ts'
import { askedTexts, type AskedTexts } from './asking-memory.ts'
import { bytesOfSize } from './memory-size.ts'
import { plannedBytes } from './plan-memory.ts'
import { togetherOf, type TogetherConfig } from './together-memory.ts'

type Planned = Parameters<typeof plannedBytes>[1] &
  Pick<AuditConfig, 'memory' | 'limit'> &
  TogetherConfig
type Opened = Parameters<typeof plannedBytes>[0]
type Data = Parameters<typeof plannedBytes>[2]

export interface BudgetRequest<C extends Planned> {
  readonly opened: Opened
  readonly config: C
  readonly data: Data
  readonly evaluates: boolean
  readonly texts?: AskedTexts | undefined
}

interface Fitted<C> {
  /** The same configuration, with training settings that fit. */
  readonly config: C
  readonly bytes: number
  /** A sentence, if there is a budget and something is trained. */
  readonly why?: string
}

export async function fitted<C extends Planned>(given: BudgetRequest<C>): Promise<Fitted<C>> {
  const request = await withTexts(given)
  const { config } = request
  const bytes = await bytesOf(request, config)
  if (config.memory === null) return { config, bytes }
  const budget = bytesOfSize(config.memory)
  if (bytes <= budget)
    return { config, bytes, ...explanation(config, `takes about ${gibibytes(bytes)}`) }
  const twice = checkpointed(config)
  const least = canCheckpoint(request) ? await bytesOf(request, twice) : bytes
  if (least > budget) throw await tooLittle(request, budget, Math.min(bytes, least))
  const why = `would take about ${gibibytes(bytes)}, so blocks are computed twice: about ${gibibytes(least)}`
  return { config: twice, bytes: least, ...explanation(config, why) }
}

const explanation = ({ memory, methods, training }: Planned, what: string) => {
  if (methods.length === 0) return {}
  const how = training.checkpointing ? 'Training with --checkpointing' : 'Training'
  return { why: `${how} ${what} (--memory ${memory}).` }
}

async function bytesOf<C extends Planned>(
  { opened, data, evaluates, texts }: BudgetRequest<C>,
  config: Planned,
) {
  const together = evaluates ? await togetherOf(opened, config) : undefined
  return plannedBytes(opened, { ...config, together, texts }, data, evaluates)
}

/** With what is asked, which is the same with any flag. */
async function withTexts<C extends Planned>(request: BudgetRequest<C>): Promise<BudgetRequest<C>> {
  const { opened, config, evaluates, texts } = request
  if (!evaluates || texts) return request
  return { ...request, texts: await askedTexts(opened, config) }
}

const checkpointed = <C extends Planned>(config: C): C => ({
  ...config,
  training: { ...config.training, checkpointing: true },
})

/** The blocks of an exported graph are not known. */
const canCheckpoint = ({ opened: { model }, config }: BudgetRequest<Planned>): boolean =>
  config.methods.length > 0 && !model.graph

/** The error `memory.too-little`, with settings that fit. */
async function tooLittle(
  request: BudgetRequest<Planned>,
  budget: number,
  least: number,
): Promise<TouchstoneError> {
  const { config } = request
  const smallest = canCheckpoint(request) ? checkpointed(config) : config
  const fewer = await smallerFlags({ ...request, config: smallest }, budget)
  const fitting = fewer.filter(({ bytes }) => bytes <= budget)
  const smaller = fitting.map(({ flags, bytes }) => `${flags} (about ${gibibytes(bytes)})`)
  return new TouchstoneError('memory.too-little', { budget, least, smaller })
}

/** Undefined where the planned peak is free on this machine, or where a budget was given, which says so itself. */
export async function tooLargeHere<C extends Planned>(
  request: BudgetRequest<C>,
  bytes: number,
  freeBytes: number,
): Promise<PlanLine['tooLarge']> {
  const { config } = request
  if (config.memory !== null || bytes <= freeBytes) return undefined
  const fits = ({ bytes: needed }: FittingFlags) => needed <= freeBytes
  const asked = await withTexts(request)
  const alone = await smallerFlags(asked, freeBytes)
  const [first] = alone
  // It changes nothing of what is learnt, so it goes before all that does.
  const isFirst = first?.flags === CHECKPOINTING && !fits(first)
  const beside = isFirst ? await smallerFlags({ ...asked, config: first.config }, freeBytes) : []
  const added = beside.map((each) => ({ ...each, flags: `${CHECKPOINTING} ${each.flags}` }))
  const fitting = [...added, ...alone].filter(fits).map(told)
  if (fitting.length > 0) return { freeBytes, fitting }
  const least = await allTogether(asked, freeBytes)
  if (least && fits(least)) return { freeBytes, fitting: [told(least)] }
  return { freeBytes, fitting: [], ...(least && { least: told(least) }) }
}

/** At the start of a run: the system may end a process that takes more than there is, without a word. */
export async function tellTooLarge<C extends Planned>(
  given: BudgetRequest<C>,
  context: Pick<JobContext, 'emit'>,
  freeBytes = process.availableMemory(),
): Promise<void> {
  const request = await withTexts(given)
  const found = await tooLargeHere(request, await bytesOf(request, request.config), freeBytes)
  if (found) emitLog(context, 'warn', tooLargeText(found))
}

const CHECKPOINTING = '--checkpointing'

/** Flags, the configuration with them, and what it would take. */
interface Smaller extends FittingFlags {
  readonly config: Planned
}

const told = ({ flags, bytes }: FittingFlags): FittingFlags => ({ flags, bytes })

/** Flag by flag what saves the most, until it fits or nothing is left. */
async function allTogether(
  request: BudgetRequest<Planned>,
  budget: number,
): Promise<Smaller | undefined> {
  let found: Smaller | undefined
  for (;;) {
    const config: Planned = found?.config ?? request.config
    const next = (await smallerFlags({ ...request, config }, budget)).reduce<Smaller | undefined>(
      (least, each) => (least && least.bytes <= each.bytes ? least : each),
      undefined,
    )
    if (!next) return found
    found = { ...next, flags: found ? `${found.flags} ${next.flags}` : next.flags }
    if (found.bytes <= budget) return found
  }
}

/** Every flag with which it takes less, each alone; of numbers of rows the largest that fits, or one. */
async function smallerFlags(request: BudgetRequest<Planned>, budget: number): Promise<Smaller[]> {
  const before = await bytesOf(request, request.config)
  const found: Smaller[] = []
  for (const steps of smallerConfigs(request)) {
    let last: Smaller | undefined
    for (const [flags, config] of steps) {
      last = { flags, config, bytes: await bytesOf(request, config) }
      if (last.bytes <= budget) break
    }
    if (last && last.bytes < before) found.push(last)
  }
  return found
}

type Step = readonly [flags: string, config: Planned]

/** Lists of steps, each further than the one before. */
function smallerConfigs(request: BudgetRequest<Planned>): Step[][] {
  const { config, evaluates, opened } = request
  const { training, methods, batchSize: asked = 1 } = config
  const steps: Step[][] = []
  const kept = (basePrecision: Planned['basePrecision']): Step => [
    `--base-precision ${basePrecision}`,
    { ...config, basePrecision },
  ]
  if (canCheckpoint(request) && !training.checkpointing)
    steps.push([[CHECKPOINTING, checkpointed(config)]])
  if (evaluates && config.evalTogether)
    steps.push([['--no-eval-together', { ...config, evalTogether: false }]])
  if (config.basePrecision === 'fp32' && leavesBase(request)) {
    const hasBlocks = [...opened.model.weights.values()].some(({ blocks }) => blocks)
    steps.push(...(hasBlocks ? [[kept('blocks')]] : []), [kept('int8')])
  }
  if (evaluates && !isEncoder(opened.model)) {
    if (!opened.model.graph) steps.push(cacheSteps(config))
    steps.push(
      halves(asked).map((rows) => [`--eval-batch-size ${rows}`, { ...config, batchSize: rows }]),
    )
  }
  if (methods.length > 0)
    steps.push(
      halves(training.batchSize).map((rows) => [
        `--batch-size ${rows}`,
        { ...config, training: { ...training, batchSize: rows } },
      ]),
    )
  return steps
}

function cacheSteps(config: Planned): Step[] {
  const finer = CACHE_PRECISIONS.slice(
    CACHE_PRECISIONS.indexOf(config.cachePrecision ?? 'float32') + 1,
  )
  return finer.map((cachePrecision) => [
    `--cache-precision ${cachePrecision}`,
    { ...config, cachePrecision },
  ])
}

const halves = (rows: number): number[] =>
  rows < 2 ? [] : [Math.floor(rows / 2), ...halves(Math.floor(rows / 2))]

const leavesBase = ({ opened: { model }, config: { methods } }: BudgetRequest<Planned>): boolean =>
  methods.every((choice) => {
    const method = bindMethod(choice)
    const needsWhole = method.trainable ?? method.perturb ?? method.prepare
    return !needsWhole && trainedSize(model, method).ofBase === 0
  })

const Kept = z.object({ checkpointing: z.boolean(), why: z.string() })

type Kept = z.infer<typeof Kept>

/** Undefined if there is none or it cannot be read; choosing again is cheap and changes no result. */
const keptIn = (path: string): Promise<Kept | undefined> =>
  readJson(path).then(
    (found) => Kept.safeParse(found).data,
    () => undefined,
  )

async function chooseNow<C extends Planned>(
  request: BudgetRequest<C>,
  path: string,
): Promise<Kept> {
  const { config, why = '' } = await fitted(request)
  const chosen = { checkpointing: config.training.checkpointing, why }
  await mkdir(dirname(path), { recursive: true })
  await writeAtomically(path, [`${JSON.stringify(chosen)}\n`])
  return chosen
}

/** The choice is stored in the run's folder and logged; a resumed run keeps it. */
export async function fittedOnce<C extends Planned>(
  request: BudgetRequest<C>,
  { workspace, emit }: JobContext,
): Promise<C> {
  if (request.config.memory === null || request.config.methods.length === 0) return request.config
  const path = join(workspace, 'memory.json')
  const { checkpointing, why } = (await keptIn(path)) ?? (await chooseNow(request, path))
  const { size: bytes } = await stat(path)
  const row = { role: 'what --memory chose', path, digest: await sha256OfFile(path), bytes }
  emit({ type: 'artifact', row })
  emitLog({ emit }, 'info', why)
  return { ...request.config, training: { ...request.config.training, checkpointing } }
}
