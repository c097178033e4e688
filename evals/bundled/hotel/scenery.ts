/** @file Plain sentences about the hotel: replies to "tell me about …", and held-out ones for measuring forgetting. */
import type { Group } from './intent.ts'
import { wordings } from './intent.ts'
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

const sceneryIntents = PLACES.map(({ place }) => ({
  name: `about-${place}`,
  ask: wordings(`
    what the ${place} is like
    what there is to see in the ${place}
    something about the ${place}
    the look of the ${place}
  `),
  direct: wordings(`
    what is the ${place} like?
    what is there to see in the ${place}?
    what do guests do in the ${place}?
    what is nice about the ${place}?
  `),
  replies: [
    `The ${place} is {adjective} and {second} in the {time}.`,
    `There is a {adjective} {object} beside the ${place}.`,
    `Guests like to {activity} in the ${place} after {meal}.`,
    `In the {time} the {role} {work} the {object} in the ${place}.`,
    `In {time} many guests {activity} in the ${place}.`,
    `On {weekday} the ${place} smells of {smell}.`,
    `A {adjective} {object} and a {second} {place} are near the ${place}.`,
    `The {role} likes the {adjective} {object} in the ${place}.`,
    `After {meal} the {role} {work} a {object} near the ${place}.`,
    `Many guests of the ${place} eat {dish} on {weekday}.`,
  ],
}))

/** Sentences for measuring forgetting: other patterns over the same words. */
export const HELD_SCENERY: readonly string[] = [
  'After {meal} many guests {activity} beside the {adjective} {object}.',
  'On {weekday} the {role} brings a {adjective} {object} to the {place}.',
  'The {object} in the {place} is {adjective} in {time}.',
  'In the {time} guests eat {dish} and {activity} near the {place}.',
  'The {role} mends the {object} and cleans the {adjective} {place} on {weekday}.',
  'There is a {adjective} {object} and a {second} window in the {place}.',
  'Many guests like the {adjective} {place} on {weekday}.',
  'The {place} smells of {smell} after {meal}.',
]

export const SCENERY_GROUPS: readonly Group[] = [
  { name: 'scenery', kind: 'chatter', category: 'scenery', weight: 6, intents: sceneryIntents },
]
