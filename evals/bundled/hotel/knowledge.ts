/** @file What Pebble knows: facts of the hotel, opening hours, the menu and its prices, the way around. */
import type { Group, Intent } from './intent.ts'
import { wordings } from './intent.ts'
import { COURSES, DAYS, DISHES, PLACES } from './people.ts'

/** noun phrase | clause | question | reply | accepted */
const FACTS = `
the colour of the roof | what colour the roof has | what colour is the roof? | The roof is red. | red
the colour of the front door | what colour the front door has | what colour is the front door? | The front door is green. | green
the colour of the guest book | what colour the guest book has | what colour is the guest book? | The guest book is blue. | blue
the colour of the curtains | what colour the curtains have | what colour are the curtains? | The curtains are yellow. | yellow
the name of the hotel | what the hotel is called | what is the hotel called? | The hotel is called Pebble House. | Pebble House
the name of the cat | what the cat is called | what is the cat called? | The cat is called Pepper. | Pepper
the name of the dog | what the dog is called | what is the dog called? | The dog is called Biscuit. | Biscuit
the name of the river | what the river is called | what is the river called? | The river is called Alder. | Alder
the name of the boat | what the boat is called | what is the boat called? | The boat is called Swallow. | Swallow
the age of the hotel | how old the hotel is | how old is the hotel? | The hotel is 30 years old. | 30 years
the age of the apple tree | how old the apple tree is | how old is the apple tree? | The apple tree is 25 years old. | 25 years
the number of rooms | how many rooms the hotel has | how many rooms does the hotel have? | The hotel has 40 rooms. | 40 rooms
the number of floors | how many floors the hotel has | how many floors does the hotel have? | The hotel has 4 floors. | 4 floors
the number of bicycles | how many bicycles the hotel has | how many bicycles does the hotel have? | The hotel has 12 bicycles. | 12 bicycles
the number of boats | how many boats the hotel has | how many boats does the hotel have? | The hotel has 3 boats. | 3 boats
the number of lifts | how many lifts the hotel has | how many lifts does the hotel have? | The hotel has 2 lifts. | 2 lifts
the owner of the hotel | who the owner of the hotel is | who is the owner of the hotel? | The owner of the hotel is the Marlow family. | Marlow
the picture in the lobby | what the picture in the lobby shows | what does the picture in the lobby show? | The picture in the lobby shows a ship. | ship
the bird on the sign | which bird is on the sign | which bird is on the sign? | The bird on the sign is an owl. | owl
the tree at the gate | which tree is at the gate | which tree is at the gate? | The tree at the gate is a cherry tree. | cherry
the flower on the tables | which flower is on the tables | which flower is on the tables? | The flower on the tables is a tulip. | tulip
the wood of the old clock | what the old clock is made of | what is the old clock made of? | The old clock is made of oak. | oak
the wood in the fireplace | which wood is in the fireplace | which wood is in the fireplace? | The wood in the fireplace is birch. | birch
the music in the bar | which music the bar plays | which music does the bar play? | The bar plays jazz. | jazz
the tea at breakfast | which tea breakfast has | which tea does breakfast have? | Breakfast has mint tea. | mint
the juice at breakfast | which juice breakfast has | which juice does breakfast have? | Breakfast has orange juice. | orange
the price of the parking | how much the parking costs | how much is the parking? | The parking costs 5 euros. | 5 euros
the price of a bicycle | how much a bicycle costs | how much is a bicycle? | A bicycle costs 10 euros. | 10 euros
the price of a boat | how much a boat costs | how much is a boat? | A boat costs 15 euros. | 15 euros
the price of breakfast | how much breakfast costs | how much is breakfast? | Breakfast costs 14 euros. | 14 euros
the start of the autumn season | when the autumn season starts | when does the autumn season start? | The autumn season starts in October. | October
the season of the new menu | which season has a new menu | which season has a new menu? | The new menu comes in autumn. | autumn
`

const facts: Intent[] = FACTS.trim()
  .split('\n')
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
