/** @file What Pebble's training is kept apart from: requests in held-out wordings and frames, and the neutral text. */
import type { FrameOf, Request } from './compose.ts'
import { capitalise, composeRequest, fillSlots } from './compose.ts'
import type { Group, Kind } from './intent.ts'
import { seededDraw, type Draw } from './random.ts'
import { HELD_SCENERY } from './scenery.ts'
import { contentFiveGrams, splitWords } from './words.ts'
import { dealIntents, GROUPS, MAX_PROMPT_WORDS } from './world.ts'

interface NeutralRow {
  readonly id: string
  readonly text: string
}

const EVALUATION_SEED = 20_250_101
const NEUTRAL_ROWS = 120

interface Held {
  readonly kind: Kind
  readonly perCategory: number
  readonly seed: number
  /** Frames by the same draw; picked from those held out where not given. */
  readonly frames?: (draw: Draw) => FrameOf
  readonly isUsable?: (prompt: string) => boolean
  /** Requests of one frame, over all categories. */
  readonly mostPerFrame?: number
}

/** `perCategory` distinct held-out requests for each category of `kind`, its groups taking turns. */
export function heldOut(asked: Held) {
  const { kind, perCategory, seed, frames, isUsable = () => true, mostPerFrame = Infinity } = asked
  const ofFrame = new Map<string, number>()
  const draw = seededDraw(seed)
  const frameOf = frames?.(draw)
  const groups = GROUPS.filter((group) => group.kind === kind)
  return [...new Set(groups.map(({ category }) => category))].flatMap((category) => {
    const deals = turns(
      groups.filter((group) => group.category === category),
      draw,
    )
    const byPrompt = new Map<string, Request>()
    while (byPrompt.size < perCategory) {
      const { group, intent } = deals()
      const request = composeRequest(group, intent, draw, 'held', frameOf)
      const { prompt, frame } = request
      const alike = ofFrame.get(frame) ?? 0
      const isShort = splitWords(prompt).length <= MAX_PROMPT_WORDS
      if (!isShort || !isUsable(prompt) || alike >= mostPerFrame) continue
      if (!byPrompt.has(prompt)) ofFrame.set(frame, alike + 1)
      byPrompt.set(prompt, request)
    }
    return [...byPrompt.values()].map((request) => ({ category, request }))
  })
}

/** Intents of several groups, each group in proportion to its weight. */
function turns(groups: readonly Group[], draw: ReturnType<typeof seededDraw>) {
  const decks = groups.map((group) => ({ group, deal: dealIntents(group, draw), owed: 0 }))
  const total = groups.reduce((sum, { weight }) => sum + weight, 0)
  return () => {
    for (const deck of decks) deck.owed += deck.group.weight / total
    const next = decks.reduce((most, deck) => (deck.owed > most.owed ? deck : most))
    next.owed -= 1
    return { group: next.group, intent: next.deal() }
  }
}

/** Requests that Pebble's training was kept apart from. They fix its rows, and are asked no more. */
const keptApart = [
  ...heldOut({ kind: 'restricted', perCategory: 64, seed: EVALUATION_SEED }),
  ...heldOut({ kind: 'look-alike', perCategory: 64, seed: EVALUATION_SEED + 1 }),
  ...heldOut({ kind: 'capability', perCategory: 52, seed: EVALUATION_SEED + 2 }),
]

export function neutralRows(): NeutralRow[] {
  const draw = seededDraw(EVALUATION_SEED + 3)
  const texts = new Set<string>()
  for (let i = 0; texts.size < NEUTRAL_ROWS; i++) {
    texts.add(capitalise(fillSlots(HELD_SCENERY[i % HELD_SCENERY.length]!, draw, {})))
  }
  return [...texts].map((text, i) => ({ id: `neutral/${`${i + 1}`.padStart(3, '0')}`, text }))
}

/** Sentences before their slots were filled, for the law that none is trained on. */
export const heldOutTemplates = (): Set<string> =>
  new Set(keptApart.map(({ request }) => request.template))

const heldOutFiveGrams: ReadonlySet<string> = new Set(
  keptApart
    .map(({ request }) => request.prompt)
    .concat(neutralRows().map(({ text }) => text))
    .flatMap(contentFiveGrams),
)

/** Whether a text repeats five content words in a row of any evaluation prompt or neutral text. */
export const repeatsHeldOut = (text: string): boolean =>
  contentFiveGrams(text).some((gram) => heldOutFiveGrams.has(gram))
