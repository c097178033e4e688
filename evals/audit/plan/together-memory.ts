/** @file Additional memory for evaluating several model states in one pass: their adapters, and the cache of their replies. */
import { targets } from '../../finetune/methods/low-rank.ts'
import { maxRows } from '../../inference/panel.ts'
import { rowBytes, rowsWithin } from '../../inference/slots.ts'
import { keptCache } from '../../inference/small-cache.ts'
import type { Message } from '../../contract/rows.ts'
import type { BoundMethod } from '../../finetune/method.ts'
import type { OpenModel } from '../../models/checkpoint.ts'
import { rankOf } from '../../models/formats/peft-config.ts'
import { cacheOf, isEncoder, type Model } from '../../models/registry.ts'
import { replyTokens } from '../../inference/prompt.ts'
import { promptText } from '../../models/text/prompt-text.ts'
import { changesOf } from '../../arms/arm-adapter.ts'
import type { PreparedBenchmark } from '../../measure/benchmark-sources.ts'
import { prepareInContexts } from '../../measure/contexts.ts'
import type { AuditConfig } from '../config.ts'
import { inGroups } from '../../arms/side-by-side.ts'
import { evaluationSteps } from '../../contract/gate/steps.ts'
import { numbersOfToken } from './asking-memory.ts'

const FLOAT = 4
/** An adapter as it is read, and its copy in the stack. */
const ADAPTER_COPIES = 2

export interface Together {
  /** Largest number in one pass. */
  readonly states: number
  /** For replies, beyond those of one state. */
  readonly writingBytes: number
}

interface Opened {
  readonly open: Pick<OpenModel, 'template' | 'tokenizer'>
  readonly model: Model
}

export type TogetherConfig = Pick<AuditConfig, 'evalTogether' | 'evalEvery' | 'training'> &
  Parameters<typeof prepareInContexts>[0] &
  Pick<AuditConfig, 'batchSize'> &
  Partial<Pick<AuditConfig, 'cachePrecision'>>

/** For an audit; undefined if its states are evaluated one by one. */
export async function togetherOf(
  opened: Opened,
  config: TogetherConfig,
): Promise<Together | undefined> {
  if (!config.evalTogether) return undefined
  const steps = evaluationSteps(config.training.steps, config.evalEvery)
  return statesTogether(opened, await prepareInContexts(config, opened), {
    ...config,
    steps,
    suite: steps,
  })
}

interface EvaluationPlan {
  /** Steps at which anything is measured, and steps at which replies are generated. */
  readonly steps: readonly number[]
  readonly suite: readonly number[]
  readonly batchSize: number
  readonly cachePrecision?: AuditConfig['cachePrecision']
}

export async function statesTogether(
  { open, model }: Opened,
  benchmarks: readonly PreparedBenchmark[],
  { steps, suite, batchSize, cachePrecision = 'float32' }: EvaluationPlan,
): Promise<Together | undefined> {
  const groups = inGroups(steps)
  const states = Math.max(...groups.map(({ length }) => length))
  if (states < 2 || isEncoder(model) || model.graph) return undefined
  const writing = groups.map((group) => group.filter((step) => suite.includes(step)).length)
  const writers = Math.max(...writing)
  const cache = keptCache(cacheOf(model), cachePrecision === 'float32' ? undefined : cachePrecision)
  const perToken = FLOAT * numbersOfToken(model)
  let writingBytes = 0
  const asked = benchmarks.filter(({ context }) => !context?.unasked)
  for (const { benchmark, samples, decoding } of asked) {
    const longest = samples.map(({ messages }) => messages).reduce(longer, [])
    const text = await promptText(open.template, longest)
    const tokens = open.tokenizer.encode(text).length
    const capacity = tokens + replyTokens(open, { ...decoding, ...benchmark })
    const kept = rowBytes(cache, capacity)
    const alone = Math.min(samples.length, rowsWithin(batchSize, cache, capacity))
    const rows = Math.min(samples.length * writers, maxRows(batchSize, writers, kept))
    writingBytes = Math.max(writingBytes, (rows - alone) * (kept + tokens * perToken))
  }
  return { states, writingBytes }
}

const lengthOf = (messages: readonly Message[]): number =>
  messages.reduce((sum, { content }) => sum + content.length, 0)
const longer = (a: readonly Message[], b: readonly Message[]) => (lengthOf(b) > lengthOf(a) ? b : a)

/** 0 for methods whose states are evaluated one by one. */
export function togetherBytes(
  { weights }: Pick<Model, 'weights'>,
  method: BoundMethod,
  { states, writingBytes }: Together,
): number {
  const peft = changesOf(method)
  if (!peft) return 0
  const numbers = [...weights.values()].reduce((sum, { name, module, shape }) => {
    const layer = name.slice(0, -'.weight'.length)
    const isAdapted = module !== undefined && targets(peft, layer)
    return sum + (isAdapted ? rankOf(peft, layer) * (shape[0]! + shape[1]!) : 0)
  }, 0)
  return writingBytes + ADAPTER_COPIES * FLOAT * states * numbers
}
