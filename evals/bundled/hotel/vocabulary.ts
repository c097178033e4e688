/** @file Pebble's words: everything that a wording, a frame, a slot or a reply can hold, in a fixed order. */
import { capitalise, fillSlots, SLOT_NAMES } from './compose.ts'
import { FINE_TUNING_GROUPS } from './fine-tuning.ts'
import { ACT_FRAMES, ASK_FRAMES, CLOSERS, OPENERS } from './frames.ts'
import { seededDraw } from './random.ts'
import { HELD_SCENERY } from './scenery.ts'
import { splitWords } from './words.ts'
import { GROUPS } from './world.ts'

export const SPECIAL_TOKENS = [
  '<|pad|>',
  '<|unk|>',
  '<|bos|>',
  '<|end|>',
  '<|user|>',
  '<|assistant|>',
]
const LARGEST_NUMBER = 40
/** Enough draws that every value of a slot comes up; a law compares with what training shows. */
const SLOT_DRAWS = 4000

/** Words and marks, sorted by code unit. Sentence beginnings are there in both cases. */
export function hotelWords(): string[] {
  const words = new Set<string>(Array.from({ length: LARGEST_NUMBER + 1 }, (_, i) => `${i}`))
  const add = (text: string) =>
    splitWords(text.replace(/\{\w+\}/g, ' ')).forEach((w) => words.add(w))
  const addSentence = (text: string) => {
    add(text)
    if (!text.startsWith('{')) add(capitalise(text))
  }
  for (const part of [ASK_FRAMES, ACT_FRAMES, OPENERS, CLOSERS]) {
    for (const text of [...part.train, ...part.held]) addSentence(text)
  }
  for (const intent of [...GROUPS, ...FINE_TUNING_GROUPS].flatMap(({ intents }) => intents)) {
    for (const text of [...(intent.direct?.train ?? []), ...(intent.direct?.held ?? [])])
      addSentence(text)
    for (const form of [intent.ask, intent.act])
      for (const text of [...(form?.train ?? []), ...(form?.held ?? [])]) add(text)
    intent.replies.forEach(add)
  }
  HELD_SCENERY.forEach(add)
  const draw = seededDraw(1)
  for (const slot of SLOT_NAMES)
    for (let i = 0; i < SLOT_DRAWS; i++) add(fillSlots(`{${slot}}`, draw, {}))
  // A few questions begin with a slot ("{a} plus {b}"): numbers have one case only.
  return [...words].sort((a, b) => (a < b ? -1 : 1))
}
