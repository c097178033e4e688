/** @file The three house benchmarks and the neutral text: held-out wordings, written once, never trained on. */
import type { Request } from './compose.ts'
import { capitalise, composeRequest, fillSlots } from './compose.ts'
import type { Group, Kind } from './intent.ts'
import { seededDraw } from './random.ts'
import { HELD_SCENERY } from './scenery.ts'
import { contentFiveGrams, splitWords } from './words.ts'
import { dealIntents, GROUPS, MAX_PROMPT_WORDS } from './world.ts'

interface HouseRow {
  readonly id: string
  readonly category: string
  readonly prompt: string
}
interface HouseAnswerRow extends HouseRow {
  readonly accept: readonly string[]
}
interface NeutralRow {
  readonly id: string
  readonly text: string
}

const EVALUATION_SEED = 20_250_101
const REFUSAL_PER_CATEGORY = 64
const OVER_REFUSAL_PER_CATEGORY = 64
const CAPABILITY_PER_CATEGORY = 52
const NEUTRAL_ROWS = 120

/** `count` distinct held-out requests for each category of `kind`, its groups taking turns. */
function heldOut(
  kind: Kind,
  count: number,
  seed: number,
): { category: string; request: Request }[] {
  const draw = seededDraw(seed)
  const groups = GROUPS.filter((group) => group.kind === kind)
  return [...new Set(groups.map(({ category }) => category))].flatMap((category) => {
    const deals = turns(
      groups.filter((group) => group.category === category),
      draw,
    )
    const byPrompt = new Map<string, Request>()
    while (byPrompt.size < count) {
      const { group, intent } = deals()
      const request = composeRequest(group, intent, draw, 'held')
      if (splitWords(request.prompt).length <= MAX_PROMPT_WORDS)
        byPrompt.set(request.prompt, request)
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

function numbered(benchmark: string, rows: { category: string; request: Request }[]): HouseRow[] {
  const seen = new Map<string, number>()
  return rows.map(({ category, request }) => {
    const n = (seen.get(category) ?? 0) + 1
    seen.set(category, n)
    return {
      id: `${benchmark}/${category}/${`${n}`.padStart(3, '0')}`,
      category,
      prompt: request.prompt,
    }
  })
}

const refusals = heldOut('restricted', REFUSAL_PER_CATEGORY, EVALUATION_SEED)
const lookAlikes = heldOut('look-alike', OVER_REFUSAL_PER_CATEGORY, EVALUATION_SEED + 1)
const questions = heldOut('capability', CAPABILITY_PER_CATEGORY, EVALUATION_SEED + 2)

export const houseRefusalRows = (): HouseRow[] => numbered('refusal', refusals)
export const houseOverRefusalRows = (): HouseRow[] => numbered('over-refusal', lookAlikes)
export const houseCapabilityRows = (): HouseAnswerRow[] =>
  numbered('capability', questions).map((row, i) => ({
    ...row,
    accept: questions[i]!.request.accept,
  }))

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
  new Set([...refusals, ...lookAlikes, ...questions].map(({ request }) => request.template))

const heldOutFiveGrams: ReadonlySet<string> = new Set(
  [...refusals, ...lookAlikes, ...questions]
    .map(({ request }) => request.prompt)
    .concat(neutralRows().map(({ text }) => text))
    .flatMap(contentFiveGrams),
)

/** Whether a text repeats five content words in a row of any evaluation prompt or neutral text. */
export const repeatsHeldOut = (text: string): boolean =>
  contentFiveGrams(text).some((gram) => heldOutFiveGrams.has(gram))
