/** @file The bench's pieces of work at SmolLM2-135M's size, and what each is held to against PyTorch. */
import { rowsOfStep, type Conversed } from '../../../evals/finetune/training/dataset.ts'
import type { Precision } from '../../../evals/models/weights/small-weights.ts'
import { randomStream } from '../../../evals/statistics/random.ts'
import { TASK_WORKS } from './task-inputs.ts'

export type WorkName =
  'lora-step' | 'lora-chat' | 'full-step' | 'generate' | 'generate-mixed' | 'task-step'

/** A row of the bench: work, and how ours may do it. */
export interface Work {
  readonly name: string
  readonly does: WorkName
  /** Whether ours may use the addon. */
  readonly native: boolean
  readonly checkpointing?: true
  /** How ours keeps the base; both sides get a base that is the same whether it is kept so or in float32. */
  readonly precision: Precision
  /** How ours multiplies on the way forward: approximate, so that the peer's exact losses are met nearly alone. */
  readonly forward?: 'int8'
  /** How the peer does it other than as written: compiled, or under bfloat16 autocast, whose numbers are approximate. */
  readonly peer?: 'compile' | 'bf16'
  readonly title: string
  /** The least PyTorch's time / our time that satisfies us at full size; absent where memory is the point. */
  readonly bar?: number
  /** The largest our peak / PyTorch's peak that satisfies us. */
  readonly memoryBar?: { readonly total?: number; readonly anonymous?: number }
}

const usual = { native: true, precision: 'fp32' } as const

/** The same step of ours beside the peer's faster ways; they have no bar of their own. */
const againstVariants = (does: 'lora-step' | 'full-step', title: string): Work[] => [
  {
    ...usual,
    name: `${does}-compile`,
    does,
    peer: 'compile',
    title: `${title}, the peer under torch.compile`,
  },
  {
    ...usual,
    name: `${does}-bf16`,
    does,
    peer: 'bf16',
    title: `${title}, the peer under bfloat16 autocast (approximate)`,
  },
]

export const WORKS: readonly Work[] = [
  {
    ...usual,
    name: 'lora-step',
    does: 'lora-step',
    bar: 1.1,
    title: 'LoRA step, rank 8, 4 × 128 tokens',
    memoryBar: { anonymous: 0.6 },
  },
  {
    ...usual,
    name: 'lora-step-checkpointed',
    does: 'lora-step',
    checkpointing: true,
    title: 'LoRA step, rank 8, 4 × 128 tokens, blocks computed twice',
    memoryBar: { total: 0.55, anonymous: 0.6 },
  },
  {
    ...usual,
    name: 'lora-step-small',
    does: 'lora-step',
    checkpointing: true,
    precision: 'int8',
    title: 'LoRA step, rank 8, 4 × 128 tokens, blocks computed twice, base in int8',
    memoryBar: { total: 0.35 },
  },
  {
    ...usual,
    name: 'lora-step-int8',
    does: 'lora-step',
    precision: 'int8',
    title: 'LoRA step, rank 8, 4 × 128 tokens, base in int8',
  },
  {
    ...usual,
    name: 'lora-step-int8-forward',
    does: 'lora-step',
    precision: 'int8',
    forward: 'int8',
    title: 'LoRA step, rank 8, 4 × 128 tokens, base in int8, forward in int8 (approximate)',
  },
  {
    ...usual,
    name: 'lora-chat',
    does: 'lora-chat',
    bar: 2,
    title: 'LoRA step, rank 8, 8 chat rows of 20 to 200 tokens, ours packed',
  },
  {
    ...usual,
    name: 'full-step',
    does: 'full-step',
    bar: 1.2,
    title: 'Full step, 4 × 128 tokens',
    memoryBar: { total: 1.05 },
  },
  {
    ...usual,
    name: 'full-step-plain',
    does: 'full-step',
    native: false,
    bar: 1 / 1.8,
    title: 'Full step without the addon, 4 × 128 tokens',
  },
  {
    ...usual,
    name: 'generate',
    does: 'generate',
    bar: 1.4,
    title: 'Generation, 16 prompts × 64 → 32 tokens',
  },
  {
    ...usual,
    name: 'generate-mixed',
    does: 'generate-mixed',
    bar: 2.5,
    title: 'Generation, 64 prompts × 16–160 → up to 64 tokens, batches of 16',
  },
]
/** The peer's variants; measured where they are named. */
export const PEER_VARIANTS: readonly Work[] = [
  ...againstVariants('lora-step', 'LoRA step, rank 8, 4 × 128 tokens'),
  ...againstVariants('full-step', 'Full step, 4 × 128 tokens'),
]
/** Steps of tasks; measured where they are named. */
export const STEPS_OF_TASKS: readonly Work[] = TASK_WORKS.map(({ name, title }) => ({
  ...usual,
  name,
  does: 'task-step',
  bar: 1,
  title: `Full step of the base of “${title}”`,
}))
export const WORK_NAMES = WORKS.map(({ name }) => name)

export const FULL_SIZE_LAYERS = 30
export const STEP_TOKENS = { rows: 4, length: 128 } as const
export const PROMPT_TOKENS = { rows: 16, length: 64 } as const
export const NEW_TOKENS = 32
/**
 * Prompts of unlike lengths, answers that end at unlike lengths. Random blocks that are not scaled write one token for ever;
 * one token in `endEvery` is an end, so that an answer has about 35 tokens.
 */
export const MIXED = {
  rows: 64,
  shortest: 16,
  longest: 160,
  batch: 16,
  newTokens: 64,
  endEvery: 48,
  blockScale: 2,
} as const
export const LORA = { rank: 8, alpha: 16 } as const
/**
 * Steps in a row that are one repetition of a task's: they take a few milliseconds at most, and after a pause the first one is of
 * waking up; the peer takes as many.
 */
export const STEPS_IN_A_ROW = 10
/** Rows of conversations: how many there are, how many a step sees, and how long they are. */
export const CHAT = { rows: 512, rowsPerStep: 8, shortest: 20, longest: 200, seed: 1 } as const

/** What one repetition gave: its time and what shows that the work was the right one. */
export interface Outcome {
  readonly ms: number
  /** Of the step's labelled tokens before the update, nats. */
  readonly loss?: number
  /** Of each of the repetition's steps, where it has several; `ms` is their mean. */
  readonly losses?: readonly number[]
  readonly gradientNorm?: number
  /** Of `ms`: forward and backward with everything fed and fetched. */
  readonly gradientMs?: number
  /** How often the graph ran, for generation. */
  readonly runs?: number
  /** New tokens of each prompt, the end among them where one came. */
  readonly tokens?: readonly (readonly number[])[]
}

/** Token i, counted over all rows, is 3 + (7919·i + 104729) mod (vocab − 3), as the peer has it. */
export function tokenRows(lengths: readonly number[], vocab: number): number[][] {
  let next = 0
  const token = () => 3 + ((7919 * next++ + 104729) % (vocab - 3))
  return lengths.map((length) => Array.from({ length }, token))
}

export const equalLengths = ({ rows, length }: { rows: number; length: number }): number[] =>
  new Array<number>(rows).fill(length)

/** From the shortest to the longest, each about as often, in no order; the peer has them too. */
export const mixedLengths = (): number[] =>
  Array.from(
    { length: MIXED.rows },
    (_, row) => MIXED.shortest + ((53 * row) % (MIXED.longest - MIXED.shortest + 1)),
  )

/** Prompts and completions, from the seed alone: lengths spread evenly, 40 to 60 % of a row its completion. */
export function chatRows(vocab: number): Conversed[] {
  const stream = randomStream(CHAT.seed, 'chat')
  const between = (least: number, most: number) =>
    least + Math.floor(stream.uniform() * (most - least + 1))
  return Array.from({ length: CHAT.rows }, () => {
    const ids = Array.from({ length: between(CHAT.shortest, CHAT.longest) }, () =>
      between(3, vocab - 1),
    )
    const prompt = ids.length - Math.round(ids.length * (0.4 + 0.2 * stream.uniform()))
    return { ids, labelled: ids.map((_, t) => t >= prompt) }
  })
}

/** What is said to a side for its repetition of that number, from 0: the peer is told the rows that our loop sees then. */
export function commandFor(work: WorkName, repetition: number, chat: readonly Conversed[]) {
  if (work !== 'lora-chat') return { work }
  const rows = rowsOfStep(chat.length, CHAT.rowsPerStep, repetition, CHAT.seed)
  return {
    work,
    rows: rows.map((row) => chat[row]!.ids),
    prompts: rows.map((row) => chat[row]!.labelled.indexOf(true)),
  }
}
