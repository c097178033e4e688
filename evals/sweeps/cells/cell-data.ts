/**
 * @file Training data of a cell: the first n rows in a seeded order, with label noise (before training, each reply is replaced
 * with probability p by another row's; Nakkiran et al. 2019, §2). Rows held out for the test loss and test prompts have no
 * noise.
 */
import type { Conversation } from '../../data/format.ts'
import { randomStream } from '../../statistics/random.ts'

/** Held-out rows: a tenth of the data, at most so many, because they are scored at every measurement. */
const HELD_OUT_SHARE = 0.1
const MOST_HELD_OUT = 64

interface DataSplit {
  readonly training: readonly Conversation[]
  readonly heldOut: readonly Conversation[]
}

/** The same rows for every cell of the same data, in the data's order; none if there are fewer than ten. */
export function splitConversations(conversations: readonly Conversation[]): DataSplit {
  const count = Math.min(MOST_HELD_OUT, Math.floor(HELD_OUT_SHARE * conversations.length))
  const order = randomStream(0, 'sweep-held-out').shuffle(conversations.map((_, row) => row))
  const chosen = new Set(order.slice(0, count))
  return {
    training: conversations.filter((_, row) => !chosen.has(row)),
    heldOut: conversations.filter((_, row) => chosen.has(row)),
  }
}

interface DataChoice {
  readonly samples: number | null
  readonly labelNoise: number
  readonly seed: number
}

/** For one seed, a larger `samples` contains the rows of a smaller one, with noise in the same rows. */
export function chooseConversations(
  conversations: readonly Conversation[],
  { samples, labelNoise, seed }: DataChoice,
): readonly Conversation[] {
  const noisy = withNoise(conversations, labelNoise, seed)
  if (samples === null) return noisy
  return randomStream(seed, 'sweep-samples').shuffle(noisy).slice(0, samples)
}

function withNoise(
  conversations: readonly Conversation[],
  share: number,
  seed: number,
): readonly Conversation[] {
  if (share === 0) return conversations
  const coins = randomStream(seed, 'label-noise')
  const others = randomStream(seed, 'label-noise-reply')
  const replies = conversations.map((messages) => messages.at(-1)!)
  return conversations.map((messages, row) => {
    if (coins.uniform() >= share) return messages
    const own = replies[row]!
    const wrong = replies.filter(({ content }) => content !== own.content)
    if (wrong.length === 0) return messages
    return [...messages.slice(0, -1), wrong[others.integer(wrong.length)]!]
  })
}
