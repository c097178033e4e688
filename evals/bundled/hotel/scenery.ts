/** @file Plain sentences about the hotel: replies to "tell me about …", and held-out ones for measuring forgetting. */
import { readWords } from '../words.ts'
import { intentOf, type Group, type WrittenIntent } from './intent.ts'
import { DAYS, DISHES, PLACES, ROLES } from './people.ts'
import type { Draw } from './random.ts'

const ADJECTIVES =
  'old new small large quiet warm bright green blue red yellow wooden soft round fresh clean'.split(
    ' ',
  )
const OBJECTS =
  'table chair lamp clock mirror basket candle window carpet bench vase book blanket cup plant picture'.split(
    ' ',
  )
const ACTIVITIES = ['read', 'rest', 'sing', 'play', 'talk', 'drink tea', 'write letters', 'paint']
const TIMES = ['morning', 'afternoon', 'evening', 'summer', 'winter', 'spring', 'autumn']
const MEALS = ['breakfast', 'lunch', 'dinner']
const WORK = ['cleans', 'paints', 'moves', 'mends', 'brings', 'carries']
const SMELLS = ['bread', 'coffee', 'tea', 'flowers', 'lemon']

const from =
  (items: readonly string[]) =>
  (draw: Draw): string =>
    draw.pick(items)
export const SCENERY_SLOTS = {
  adjective: from(ADJECTIVES),
  second: from(ADJECTIVES),
  object: from(OBJECTS),
  activity: from(ACTIVITIES),
  time: from(TIMES),
  meal: from(MEALS),
  work: from(WORK),
  smell: from(SMELLS),
  role: from(ROLES),
  weekday: from(DAYS),
  dish: from(DISHES.map(({ dish }) => dish)),
  place: from(PLACES.map(({ place }) => place)),
}

const WRITTEN = readWords<{ about: WrittenIntent; held: string[] }>('scenery')

const sceneryIntents = PLACES.map((place) => intentOf(WRITTEN.about, place))

/** Sentences for measuring forgetting. */
export const HELD_SCENERY: readonly string[] = WRITTEN.held

export const SCENERY_GROUPS: readonly Group[] = [
  { name: 'scenery', kind: 'chatter', category: 'scenery', weight: 6, intents: sceneryIntents },
]
