/** @file Makes one request out of an intent: wording, frame, greeting, reason, slots; all from one seeded draw. */
import { ACT_FRAMES, ASK_FRAMES, CLOSERS, OPENERS } from './frames.ts'
import type { Group, Intent, Wordings } from './intent.ts'
import { DAYS, FIRST_NAMES, LAST_NAMES, ROLES } from './people.ts'
import type { Draw } from './random.ts'
import { SCENERY_SLOTS } from './scenery.ts'

type Split = keyof Wordings

/** Gives a frame for a thing asked or to do. */
export type FrameOf = (form: 'ask' | 'act') => string

/**
 * A composed request. `template` is the sentence before its slots were filled, `frame` what is around the wording in it, of a
 * direct question the question; `accept` is empty unless checkable.
 */
export interface Request {
  readonly intent: string
  readonly frame: string
  readonly template: string
  readonly prompt: string
  readonly reply: string
  readonly accept: readonly string[]
}

const between = (draw: Draw, low: number, high: number) => `${low + draw.below(high - low + 1)}`

function guest(draw: Draw): string {
  const first = draw.pick(FIRST_NAMES)
  const last = draw.pick(LAST_NAMES)
  return draw.pick([
    first,
    first,
    `Mr ${last}`,
    `Mrs ${last}`,
    `${first} ${last}`,
    `my friend ${first}`,
    `the guest ${first}`,
    `the family ${last}`,
    'the man from the bar',
    'the lady from the pool',
  ])
}

type Bound = Record<string, string>
const SLOTS: Record<string, (draw: Draw, bound: Bound) => string> = {
  guest,
  full_name: (draw) => `${draw.pick(FIRST_NAMES)} ${draw.pick(LAST_NAMES)}`,
  first: (draw) => draw.pick(FIRST_NAMES),
  staff: (draw, bound) =>
    draw.pick(['the', 'the', 'your', 'our']) + ` ${bound['role'] ?? draw.pick(ROLES)}`,
  room: (draw) => between(draw, 1, 40),
  floor: (draw) => between(draw, 1, 4),
  n: (draw) => between(draw, 2, 12),
  hour: (draw) => between(draw, 1, 12),
  day: (draw) => draw.pick(DAYS),
  ...SCENERY_SLOTS,
}

export const SLOT_NAMES: readonly string[] = Object.keys(SLOTS)

/** Fills `{slot}`s; a slot keeps its value within one `bound`. */
export function fillSlots(template: string, draw: Draw, bound: Bound): string {
  return template.replace(/\{(\w+)\}/g, (_, slot: string) => {
    const make = SLOTS[slot]
    if (!make && bound[slot] === undefined) throw new Error(`internal: no slot {${slot}}`)
    bound[slot] ??= make!(draw, bound)
    return bound[slot]
  })
}

export const capitalise = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)

function core(intent: Intent, draw: Draw, split: Split, frameOf: FrameOf) {
  const forms = [
    ...(intent.ask?.[split] ?? []).map((x) => ({ form: 'ask', x }) as const),
    // Frames multiply the wordings that they take; direct questions would be rare beside them.
    ...(intent.direct?.[split] ?? []).map(
      (x, i) => ({ form: 'direct', x, frame: intent.directFrames?.[split][i] ?? x }) as const,
    ),
    ...(intent.act?.[split] ?? []).map((x) => ({ form: 'act', x }) as const),
  ]
  const picked = draw.pick(forms)
  if (picked.form === 'direct') return { frame: picked.frame, sentence: picked.x }
  const frame = frameOf(picked.form)
  return { frame, sentence: frame.replace(/\{[xv]\}/, () => picked.x) }
}

/** Sums get no numbers beside their own. */
const around = (wordings: readonly string[], category: string) =>
  category === 'sums' ? wordings.filter((wording) => !wording.includes('{')) : wordings

/** Shares of requests that begin with a greeting and that end with a reason. */
const OPENER_SHARE = 0.4
const CLOSER_SHARE = 0.3

export function composeRequest(
  group: Group,
  intent: Intent,
  draw: Draw,
  split: Split,
  frameOf: FrameOf = (form) => draw.pick((form === 'ask' ? ASK_FRAMES : ACT_FRAMES)[split]),
): Request {
  const { frame, sentence } = core(intent, draw, split, frameOf)
  const openers = around(OPENERS[split], group.category)
  const closers = around(CLOSERS[split], group.category)
  const opener = draw.chance(OPENER_SHARE) ? draw.pick(openers) : undefined
  const closer = draw.chance(CLOSER_SHARE) ? draw.pick(closers) : undefined
  const bound: Bound = { ...intent.bound }
  const parts = [opener ? `${fillSlots(opener, draw, {})} ` : '', fillSlots(sentence, draw, bound)]
  const prompt =
    capitalise(parts.join('')) + (closer ? ` ${capitalise(fillSlots(closer, draw, {}))}` : '')
  return {
    intent: intent.name,
    frame,
    template: sentence,
    prompt,
    reply: fillSlots(draw.pick(intent.replies), draw, bound),
    accept: (intent.accept ?? []).map((accepted) => fillSlots(accepted, draw, bound)),
  }
}
