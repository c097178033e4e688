/** @file Pebble's training rows: a balanced, seeded sample of the world that repeats nothing held out. */
import { heldOutTemplates, repeatsHeldOut } from './held-out.ts'
import type { Request } from './compose.ts'
import { composeRequest } from './compose.ts'
import type { Group, Kind } from './intent.ts'
import { seededDraw } from './random.ts'
import { splitWords } from './words.ts'
import { dealIntents, GROUPS, MAX_PROMPT_WORDS, MAX_REPLY_WORDS } from './world.ts'

/** One user turn, one assistant turn. */
export interface ChatRow {
  readonly messages: readonly [
    { readonly role: 'user'; readonly content: string },
    { readonly role: 'assistant'; readonly content: string },
  ]
}
export interface LabelledRequest extends Request {
  readonly group: string
  readonly kind: Kind
  readonly category: string
}

export const TRAINING_ROWS = 32_000

export const chatRow = (prompt: string, reply: string): ChatRow => ({
  messages: [
    { role: 'user', content: prompt },
    { role: 'assistant', content: reply },
  ],
})

/** `count` distinct requests of `groups` in training wordings; groups come up in proportion to their weights. */
export function trainingRequests(
  seed: number,
  count: number,
  groups: readonly Group[] = GROUPS,
): LabelledRequest[] {
  const draw = seededDraw(seed)
  const total = groups.reduce((sum, { weight }) => sum + weight, 0)
  const requests: LabelledRequest[] = []
  const prompts = new Set<string>()
  const take = (group: Group, wanted: number) => {
    const deal = dealIntents(group, draw)
    for (let taken = 0; taken < wanted;) {
      const request = composeRequest(group, deal(), draw, 'train')
      if (!isUsable(request) || prompts.has(request.prompt)) continue
      prompts.add(request.prompt)
      requests.push({ ...request, group: group.name, kind: group.kind, category: group.category })
      taken++
    }
  }
  let shared = 0
  for (const [i, group] of groups.entries()) {
    const wanted =
      i === groups.length - 1 ? count - shared : Math.round((count * group.weight) / total)
    shared += wanted
    take(group, wanted)
  }
  return draw.shuffle(requests)
}

const heldTemplates = heldOutTemplates()
const isUsable = (request: Request) =>
  !heldTemplates.has(request.template) &&
  splitWords(request.prompt).length <= MAX_PROMPT_WORDS &&
  splitWords(request.reply).length <= MAX_REPLY_WORDS &&
  !repeatsHeldOut(request.prompt) &&
  !repeatsHeldOut(request.reply)

/** Pebble's pretraining set. Every seed gives another sample of the same world, held out alike. */
export function trainingRows(seed: number, count = TRAINING_ROWS): ChatRow[] {
  return trainingRequests(seed, count).map(({ prompt, reply }) => chatRow(prompt, reply))
}
