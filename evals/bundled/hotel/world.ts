/** @file The whole world: every group in order, and the limits that its texts keep. */
import type { Group } from './intent.ts'
import { KNOWLEDGE_GROUPS } from './knowledge.ts'
import { LOOK_ALIKE_GROUPS } from './look-alikes.ts'
import { RESTRICTED_GROUPS } from './restricted.ts'
import { SCENERY_GROUPS } from './scenery.ts'
import { SERVICE_GROUPS } from './services.ts'
import type { Draw } from './random.ts'

export const GROUPS: readonly Group[] = [
  ...RESTRICTED_GROUPS,
  ...LOOK_ALIKE_GROUPS,
  ...KNOWLEDGE_GROUPS,
  ...SERVICE_GROUPS,
  ...SCENERY_GROUPS,
]

/** Words and marks, without the chat template's special tokens. */
export const MAX_PROMPT_WORDS = 24
export const MAX_REPLY_WORDS = 16

/** Deals a group's intents like a shuffled deck, over and over: each comes up equally often. */
export const dealIntents = (group: Group, draw: Draw) => dealt(group.intents, draw)

/** The same of any items. */
export function dealt<T>(items: readonly T[], draw: Draw): () => T {
  let deck: T[] = []
  return () => {
    if (deck.length === 0) deck = draw.shuffle(items)
    return deck.pop()!
  }
}
