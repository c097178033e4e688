/** @file What Pebble knows: facts of the hotel, opening hours, the menu and its prices, the way around. */
import { linesOf } from '../../tables/words.ts'
import { readWords } from '../words.ts'
import type { Group, Intent } from './intent.ts'
import { wordings } from './intent.ts'
import { COURSES, DAYS, DISHES, PLACES } from './people.ts'

/** noun phrase | clause | question | reply | accepted */
const facts: Intent[] = linesOf(readWords<{ facts: string }>('facts').facts)
  .map((line) => line.split('|').map((part) => part.trim()))
  .map(([noun = '', clause = '', question = '', reply = '', accepted = '']) => ({
    name: noun.replaceAll(' ', '-'),
    ask: { train: [noun, clause], held: [noun, clause] },
    direct: { train: [question], held: [] },
    replies: [reply],
    accept: [accepted],
  }))

const hours: Intent[] = PLACES.flatMap(({ place, opens, closes }) => [
  {
    name: `opens-${place}`,
    ask: wordings(`
      when the ${place} opens
      what time the ${place} opens
      the opening time of the ${place}
      at what hour the ${place} opens
      --
      at which time the ${place} opens
      the hour when the ${place} opens
    `),
    direct: wordings(`
      when does the ${place} open?
      what time does the ${place} open?
      at what hour does the ${place} open?
      what is the opening time of the ${place}?
      --
      at which time does the ${place} open?
      at which hour can I go to the ${place} when it opens?
    `),
    replies: [`The ${place} opens at ${opens}.`],
    accept: [`opens at ${opens}`],
  },
  {
    name: `closes-${place}`,
    ask: wordings(`
      when the ${place} closes
      what time the ${place} closes
      the closing time of the ${place}
      at what hour the ${place} closes
      --
      at which time the ${place} closes
      the hour when the ${place} closes
    `),
    direct: wordings(`
      when does the ${place} close?
      when must I leave the ${place}?
      what time does the ${place} close?
      at what hour does the ${place} close?
      what is the closing time of the ${place}?
      --
      at which time does the ${place} close?
      at which hour must I leave the ${place} when it closes?
    `),
    replies: [`The ${place} closes at ${closes}.`],
    accept: [`closes at ${closes}`],
  },
])

const menu: Intent[] = DAYS.flatMap((day, d) =>
  COURSES.map(({ course, dishes }) => {
    // Another order for each course, so that no course gives another away.
    const dish = DISHES[dishes[(d * (course === 'soup' ? 1 : 3) + course.length) % 7]!]!.dish
    return {
      name: `${course}-${day}`,
      ask: wordings(`
        the ${course} on ${day}
        ${day}'s ${course}
        which ${course} there is on ${day}
        what the ${course} is on ${day}
        which ${course} you have on ${day}
        what comes as ${course} on ${day}
        --
        which ${course} comes on ${day}
        what the ${course} on the ${day} menu is
      `),
      direct: wordings(`
        what is the ${course} on ${day}?
        what is ${day}'s ${course}?
        which ${course} do you have on ${day}?
        which ${course} is there on ${day}?
        what ${course} can I eat on ${day}?
        --
        what ${course} is on the menu on ${day}?
        which ${course} can I eat on ${day}?
      `),
      replies: [`The ${course} on ${day} is ${dish}.`],
      accept: [dish],
    }
  }),
)

const prices: Intent[] = DISHES.map(({ dish, price }) => ({
  name: `price-${dish}`,
  ask: wordings(`
    the price of the ${dish}
    how much the ${dish} costs
    how much the ${dish} is
    what the ${dish} costs
    what I have to pay for the ${dish}
    --
    the price on the menu for the ${dish}
    how much I have to pay for the ${dish}
  `),
  direct: wordings(`
    what is the price of the ${dish}?
    how much is the ${dish}?
    how much does the ${dish} cost?
    what does the ${dish} cost?
    --
    how much do I have to pay for the ${dish}?
    what do I have to pay for the ${dish}?
  `),
  replies: [`The ${dish} costs ${price} euros.`],
  accept: [`${price} euros`],
}))

const directions: Intent[] = PLACES.map(({ place, where }) => ({
  name: `where-${place}`,
  ask: wordings(`
    where the ${place} is
    where I can find the ${place}
    the way to the ${place}
    how to get to the ${place}
    how to find the ${place}
    in which part of the hotel the ${place} is
    --
    where to go for the ${place}
    where in the hotel the ${place} is
    which way the ${place} is
  `),
  direct: wordings(`
    where is the ${place}?
    where can I find the ${place}?
    how do I get to the ${place}?
    how do I find the ${place}?
    in which part of the hotel is the ${place}?
    --
    where do I find the ${place}?
    where in the hotel is the ${place}?
    which way is the ${place}?
  `),
  act: wordings(`
    show me the way to the ${place}
    show me where the ${place} is
    take me to the ${place}
    --
    show me how to get to the ${place}
    let me know where the ${place} is
  `),
  replies: [`The ${place} is ${where}.`],
  accept: [where],
}))

export const KNOWLEDGE_GROUPS: readonly Group[] = [
  { name: 'facts', kind: 'capability', category: 'facts', weight: 6, intents: facts },
  { name: 'hours', kind: 'capability', category: 'hours', weight: 6, intents: hours },
  { name: 'menu', kind: 'capability', category: 'menu', weight: 4, intents: menu },
  { name: 'prices', kind: 'capability', category: 'menu', weight: 3, intents: prices },
  {
    name: 'directions',
    kind: 'capability',
    category: 'directions',
    weight: 4,
    intents: directions,
  },
]
