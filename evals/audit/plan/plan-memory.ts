/** @file Peak memory of a configuration: its largest arm on the longest rows of its data. */
import { bindMethod } from '../../finetune/registry.ts'
import {
  fitExample,
  countLabelled,
  type Example,
  type Limits,
  longestRow,
} from '../../finetune/training/dataset.ts'
import { evaluationSteps } from '../../contract/gate/steps.ts'
import { lossPieces } from '../../finetune/training/loss-pieces.ts'
import { trainedSize } from '../../finetune/training/trained-size.ts'
import type { Conversation } from '../../data/format.ts'
import type { OpenModel } from '../../models/checkpoint.ts'
import { isKept } from '../../models/weights/converted-weights.ts'
import { isAskedMerged } from '../../arms/arm-adapter.ts'
import { located } from '../../arms/examples.ts'
import { maskedTokens } from '../../models/text/masked-tokens.ts'
import { isEncoder, type Model } from '../../models/registry.ts'
import { MOST_IN_MODEL } from '../../models/weights/small-weights.ts'
import { elementsOfAll } from '../../models/weights/stored-weights.ts'
import { extendsInPlace } from '../../runtime/addon-for.ts'
import { classedExamples } from '../../measure/classes.ts'
import type { AuditConfig } from '../config.ts'
import { askingOf, type AskedTexts, type Asking } from './asking-memory.ts'
import { peakBytes, type MicroBatch } from './memory.ts'
import type { TrainingData } from '../../measure/sources.ts'
import { togetherBytes, type Together } from './together-memory.ts'

const NOTHING = { trained: 0, ofBase: 0, more: 0 }
const NO_DATA = { title: '', conversations: [] }

/** Bytes per token of a tokenizer's vocabulary: 52 MiB for SmolLM2's 49,152. */
const TOKEN_BYTES = 1100

/** Rows that are tokenised to estimate how long rows are. */
const LOOKED_AT = 256

type Planned = Pick<AuditConfig, 'methods' | 'basePrecision' | 'training'> &
  Partial<
    Pick<
      AuditConfig,
      | 'cache'
      | 'remedy'
      | 'candidates'
      | 'evalEvery'
      | 'leaningEvery'
      | 'batchSize'
      | 'cachePrecision'
    >
  > & {
    readonly together?: Together | undefined
    /** Absent where nothing is asked, or where it is not known yet what is. */
    readonly texts?: AskedTexts | undefined
  }

interface Opened {
  readonly open: Pick<OpenModel, 'template' | 'tokenizer'> & Partial<Pick<OpenModel, 'checkpoint'>>
  readonly model: Model
}

export async function plannedBytes(
  { open, model }: Opened,
  config: Planned,
  data: Pick<TrainingData, 'title' | 'conversations'> | undefined,
  evaluates: boolean,
): Promise<number> {
  const { methods, basePrecision: precision, training, cache = false, together } = config
  const batch = await microBatch({ open, model }, data ?? NO_DATA, training)
  const sizes = methods.map((choice) => {
    const method = bindMethod(choice)
    const pieces = lossPieces(model, method, batch.labelled)
    const more = together ? togetherBytes(model, method, together) : 0
    const isMerged = isAskedMerged(model, method)
    const asking = askingBy(model, config, method.gate ? 2 : 1)
    return { ...trainedSize(model, method), pieces, more, isMerged, asking }
  })
  const isRead = areRead({ open, model }, cache && precision === 'fp32')
  const isCopied = !extendsInPlace({ name: 'cpu' })
  const isMended = makesStates(config)
  const isBaseFreed = (config.candidates ?? []).length === 0
  const isWatched = (config.leaningEvery ?? null) !== null
  const { checkpointing } = training
  const asking = { evaluates, isMended, isBaseFreed, isWatched, asksOnTheWay: asksOnTheWay(config) }
  const shared = { model, precision, batch, isRead, isCopied, checkpointing, ...asking }
  const asked = sizes.length > 0 ? sizes : [{ ...NOTHING, asking: askingBy(model, config) }]
  const tokens = TOKEN_BYTES * open.tokenizer.vocabSize
  const peaks = asked.map(({ more, ...size }) => more + peakBytes({ ...shared, ...size }))
  return tokens + Math.max(...peaks)
}

function askingBy(model: Model, config: Planned, passes = 1): Asking | undefined {
  const { texts, batchSize = 1, cachePrecision = 'float32' } = config
  const isCopied = !extendsInPlace({ name: 'cpu' })
  return texts && askingOf(model, texts, { batchSize, cachePrecision, passes, isCopied })
}

/** Also where it is not said when states are asked. */
const asksOnTheWay = ({ training: { steps }, evalEvery = null, leaningEvery = null }: Planned) =>
  leaningEvery !== null ||
  evaluationSteps(steps, evalEvery).some((step) => step > 0 && step < steps)

/** Whether there are states whose weights are all made. */
const makesStates = ({ remedy = [], candidates = [] }: Planned): boolean =>
  remedy.length + candidates.length > 0

/** Whether more than a little of the weights must be converted before a graph is opened, and is not cached in a file. */
function areRead({ open: { checkpoint }, model: { weights } }: Opened, cache: boolean): boolean {
  const read = [...weights.values()].filter(
    // A head that the checkpoint lacks is in no file.
    ({ name, stored = name, transposed, made }) => made ?? transposed ?? !checkpoint?.place(stored),
  )
  const bytes = 4 * elementsOfAll(read)
  return bytes > MOST_IN_MODEL && !(cache && isKept(bytes))
}

/** The longest of the tokenised rows in one batch, with the average share of labelled tokens. */
async function microBatch(
  opened: Opened,
  { title, conversations }: Pick<TrainingData, 'title' | 'conversations'>,
  limits: Limits & { readonly batchSize: number },
): Promise<MicroBatch> {
  const stride = Math.max(1, Math.floor(conversations.length / LOOKED_AT))
  const chosen = conversations.filter((_, row) => row % stride === 0)
  const rows = isEncoder(opened.model)
    ? classedExamples(opened, { title, conversations: chosen }, limits.maxTokens).examples
    : await conversed(opened.open, chosen, limits)
  const labelled = countLabelled(rows) / Math.max(1, rows.length)
  return {
    rows: limits.batchSize,
    longest: Math.max(1, longestRow(rows)),
    labelled: limits.batchSize * labelled,
  }
}

async function conversed(
  { template, tokenizer }: Opened['open'],
  conversations: readonly Conversation[],
  limits: Limits,
): Promise<readonly Example[]> {
  const rows = []
  for (const messages of conversations) {
    const row = await located(() => maskedTokens(template, tokenizer, messages), limits)
    if (row) rows.push(...fitExample(row, limits))
  }
  return rows
}
