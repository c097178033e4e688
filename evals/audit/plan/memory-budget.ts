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
import { emitLog, type FittingFlags, type JobContext, type PlanLine } from '../../contract/job.ts'
import { readJson } from '../../files/read-file.ts'
import { writeAtomically } from '../../files/write-file.ts'
import { sha256OfFile } from '../../files/digest.ts'
import type { AuditConfig } from '../config.ts'
import { bytesOfSize } from './memory-size.ts'
import { plannedBytes } from './plan-memory.ts'
import { togetherOf, type TogetherConfig } from './together-memory.ts'

type Planned = Parameters<typeof plannedBytes>[1] & Pick<AuditConfig, 'memory'> & TogetherConfig
type Opened = Parameters<typeof plannedBytes>[0]
type Data = Parameters<typeof plannedBytes>[2]

export interface BudgetRequest<C extends Planned> {
  readonly opened: Opened
  readonly config: C
  readonly data: Data
  readonly evaluates: boolean
}

interface Fitted<C> {
  /** The same configuration, with training settings that fit. */
  readonly config: C
  readonly bytes: number
  /** A sentence, if there is a budget and something is trained. */
  readonly why?: string
}

export async function fitted<C extends Planned>(request: BudgetRequest<C>): Promise<Fitted<C>> {
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
  { opened, data, evaluates }: BudgetRequest<C>,
  config: Planned,
) {
  const together = evaluates ? await togetherOf(opened, config) : undefined
  return plannedBytes(opened, { ...config, together }, data, evaluates)
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
  const fitting = await fittingFlags({ ...request, config: smallest }, budget)
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
  if (config.training.checkpointing || !canCheckpoint(request))
    return { freeBytes, fitting: await fittingFlags(request, freeBytes) }
  const twice = checkpointed(config)
  const least = await bytesOf(request, twice)
  const flags = '--checkpointing'
  if (least <= freeBytes) return { freeBytes, fitting: [{ flags, bytes: least }] }
  const fitting = await fittingFlags({ ...request, config: twice }, freeBytes)
  const added = fitting.map((each) => ({ ...each, flags: `${flags} ${each.flags}` }))
  return { freeBytes, fitting: added }
}

/** Of separate evaluation, a base in its file's blocks or in int8 and fewer rows a batch, each alone, those that fit; of rows the most. */
async function fittingFlags(
  request: BudgetRequest<Planned>,
  budget: number,
): Promise<FittingFlags[]> {
  const { config } = request
  const tried: (readonly [string, Planned])[] = []
  if (request.evaluates && config.evalTogether)
    tried.push(['--no-eval-together', { ...config, evalTogether: false }])
  const hasBlocks = [...request.opened.model.weights.values()].some(({ blocks }) => blocks)
  if (config.basePrecision !== 'blocks' && hasBlocks && leavesBase(request))
    tried.push(['--base-precision blocks', { ...config, basePrecision: 'blocks' }])
  if (config.basePrecision !== 'int8' && leavesBase(request))
    tried.push(['--base-precision int8', { ...config, basePrecision: 'int8' }])
  const { batchSize } = config.training
  if (config.methods.length > 0)
    for (let rows = Math.floor(batchSize / 2); rows > 0; rows = Math.floor(rows / 2)) {
      const training = { ...config.training, batchSize: rows }
      tried.push([`--batch-size ${rows}`, { ...config, training }])
    }
  const fitting: FittingFlags[] = []
  for (const [flags, other] of tried) {
    const bytes = await bytesOf(request, other)
    if (bytes > budget) continue
    fitting.push({ flags, bytes })
    if (flags.startsWith('--batch-size')) break
  }
  return fitting
}

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
