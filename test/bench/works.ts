/** @file The bench's pieces of work at SmolLM2-135M's size, and what each is held to against PyTorch. */

export type WorkName = 'lora-step' | 'full-step' | 'generate'

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
]
export const WORK_NAMES = WORKS.map(({ name }) => name)

export const FULL_SIZE_LAYERS = 30
export const STEP_TOKENS = { rows: 4, length: 128 } as const
export const PROMPT_TOKENS = { rows: 16, length: 64 } as const
export const NEW_TOKENS = 32
export const LORA = { rank: 8, alpha: 16 } as const

/** What one repetition gave: its time and what shows that the work was the right one. */
export interface Outcome {
  readonly ms: number
  /** Of the step's labelled tokens before the update, nats. */
  readonly loss?: number
  readonly gradientNorm?: number
  /** Of `ms`: forward and backward with everything fed and fetched. */
  readonly gradientMs?: number
  /** New tokens, `[prompts][NEW_TOKENS]`. */
  readonly tokens?: readonly (readonly number[])[]
}

/** Rows of one length; token i, counted over all rows, is 3 + (7919·i + 104729) mod (vocab − 3), as the peer has it. */
export const tokenRows = (
  { rows, length }: { readonly rows: number; readonly length: number },
  vocab: number,
): number[][] =>
  Array.from({ length: rows }, (_, row) =>
    Array.from({ length }, (_, t) => 3 + ((7919 * (row * length + t) + 104729) % (vocab - 3))),
  )
