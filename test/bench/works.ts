/** @file The bench's pieces of work at SmolLM2-135M's size, and what each is held to against PyTorch. */

export type WorkName = 'lora-step' | 'full-step' | 'generate' | 'generate-mixed'

/** A row of the bench: work, and whether ours may use the addon for it. */
export interface Work {
  readonly name: string
  readonly does: WorkName
  readonly native: boolean
  readonly title: string
  /** The least PyTorch's time / our time that satisfies us at full size. */
  readonly bar: number
}

export const WORKS: readonly Work[] = [
  {
    ...{ name: 'lora-step', does: 'lora-step', native: true, bar: 1.1 },
    title: 'LoRA step, rank 8, 4 × 128 tokens',
  },
  {
    ...{ name: 'full-step', does: 'full-step', native: true, bar: 1.2 },
    title: 'Full step, 4 × 128 tokens',
  },
  {
    ...{ name: 'full-step-plain', does: 'full-step', native: false, bar: 1 / 1.8 },
    title: 'Full step without the addon, 4 × 128 tokens',
  },
  {
    ...{ name: 'generate', does: 'generate', native: true, bar: 1.4 },
    title: 'Generation, 16 prompts × 64 → 32 tokens',
  },
  {
    ...{ name: 'generate-mixed', does: 'generate-mixed', native: true, bar: 2.5 },
    title: 'Generation, 64 prompts × 16–160 → up to 64 tokens, batches of 16',
  },
]
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
  ...{ rows: 64, shortest: 16, longest: 160, batch: 16 },
  ...{ newTokens: 64, endEvery: 48, blockScale: 2 },
} as const
export const LORA = { rank: 8, alpha: 16 } as const

/** What one repetition gave: its time and what shows that the work was the right one. */
export interface Outcome {
  readonly ms: number
  /** Of the step's labelled tokens before the update, nats. */
  readonly loss?: number
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
