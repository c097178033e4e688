/** @file The examples of a fine-tune with the rows of the data that they are of. */
import { fitExample, type Conversed, type Limits } from '../../finetune/training/dataset.ts'
import type { Base } from '../../measure/base.ts'
import type { TrainingData } from '../../measure/sources.ts'
import { maskedTokens } from '../../models/text/masked-tokens.ts'
import { nearDuplicateGroups } from '../../statistics/minhash.ts'
import { examplesDigest } from '../arm.ts'
import type { ArmPlan } from '../arm-plan.ts'
import { located } from '../examples.ts'

type Conversation = TrainingData['conversations'][number]

export interface DataRow {
  /** From 1. */
  readonly row: number
  readonly conversation: Conversation
  /** Places of its examples among those of the plan: several where a long row was split. */
  readonly examples: readonly number[]
}

/** Rows without an example, such as those with nothing to learn, are left out. */
export async function dataRows(
  { open }: Pick<Base, 'open'>,
  { conversations, kinds }: TrainingData,
  { examples, training, dataDigest }: ArmPlan,
): Promise<DataRow[]> {
  const rows: DataRow[] = []
  const again: Conversed[] = []
  for (const [i, conversation] of conversations.entries()) {
    const pieces = await piecesOf(open, conversation, training)
    const kind = kinds?.get(conversation)
    again.push(...pieces.map((piece) => (kind === undefined ? piece : { ...piece, kind })))
    const first = again.length - pieces.length
    if (pieces.length > 0)
      rows.push({ row: i + 1, conversation, examples: pieces.map((_, k) => first + k) })
  }
  if (again.length !== examples.length || examplesDigest(again) !== dataDigest)
    throw new Error('internal: the rows of the data are not those that were trained on')
  return rows
}

async function piecesOf(open: Base['open'], conversation: Conversation, limits: Limits) {
  const tokens = () => maskedTokens(open.template, open.tokenizer, conversation)
  const row = await located(tokens, limits)
  return row ? fitExample(row, limits) : []
}

/** Longest beginning of a row that is shown, characters. */
const SHOWN = 160

/** What the row asks: all but its last reply, of a plain text its beginning. */
export function askedIn({ conversation }: DataRow): string {
  const asked = conversation.filter(({ role }) => role !== 'assistant')
  return asked
    .map(({ content }) => content)
    .join('\n')
    .slice(0, SHOWN)
}

/** The first row of its group of near-duplicates, by row; rows without one are absent. */
export function groupsOf(rows: readonly DataRow[]): ReadonlyMap<number, number> {
  const texts = rows.map(({ row, conversation }) => ({
    key: String(row),
    text: conversation.map(({ content }) => content).join('\n'),
  }))
  return new Map(
    [...nearDuplicateGroups(texts)].map(([row, first]) => [Number(row), Number(first)]),
  )
}
