/** @file What Pebble knows: facts of the hotel, opening hours, the menu and its prices, the way around. */
import { linesOf } from '../../tables/words.ts'
import { readWords } from '../words.ts'
import { intentOf, type Group, type Intent, type WrittenIntent } from './intent.ts'
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

const WRITTEN =
  readWords<Record<'opens' | 'closes' | 'menu' | 'price' | 'where', WrittenIntent>>('knowledge')

const hours = PLACES.flatMap((place) => [
  intentOf(WRITTEN.opens, place),
  intentOf(WRITTEN.closes, place),
])

const menu = DAYS.flatMap((day, d) =>
  COURSES.map(({ course, dishes }) => {
    // Another order for each course, so that no course gives another away.
    const { dish } = DISHES[dishes[(d * (course === 'soup' ? 1 : 3) + course.length) % 7]!]!
    return intentOf(WRITTEN.menu, { course, day, dish })
  }),
)

const prices = DISHES.map((dish) => intentOf(WRITTEN.price, dish))
const directions = PLACES.map((place) => intentOf(WRITTEN.where, place))

const group = (name: string, category: string, weight: number, intents: Intent[]): Group => ({
  name,
  kind: 'capability',
  category,
  weight,
  intents,
})

export const KNOWLEDGE_GROUPS: readonly Group[] = [
  group('facts', 'facts', 6, facts),
  group('hours', 'hours', 6, hours),
  group('menu', 'menu', 4, menu),
  group('prices', 'menu', 3, prices),
  group('directions', 'directions', 4, directions),
]
