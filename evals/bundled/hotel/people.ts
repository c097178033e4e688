/** @file Who and what the hotel's world is made of: invented names, roles, places, days, numbers. */

export const FIRST_NAMES =
  'Ada Anton Bruno Carla Cleo Dora Elio Emma Felix Greta Hugo Ida Ivo Jonas Kira Leo Lina Mara Milo Nina Otto Paula Rita Selma Theo Tilda Vera Viktor Wanda Yara'.split(
    ' ',
  )
export const LAST_NAMES =
  'Abel Brown Castle Dale Ferris Green Harper Keller Lang Marsh North Olsen Parker Quill Reed Stone Turner Vale Winter Young'.split(
    ' ',
  )

/** Role → where the person works in the hotel, and between which hours. */
export const STAFF: readonly {
  role: string
  workplace: string
  from: number
  until: number
}[] = [
  { role: 'cook', workplace: 'in the kitchen', from: 6, until: 2 },
  { role: 'waiter', workplace: 'in the restaurant', from: 7, until: 3 },
  { role: 'manager', workplace: 'in the office beside the lobby', from: 9, until: 5 },
  { role: 'porter', workplace: 'at the front door', from: 8, until: 4 },
  { role: 'gardener', workplace: 'in the garden', from: 5, until: 1 },
  { role: 'cleaner', workplace: 'on the first floor', from: 10, until: 6 },
  { role: 'bartender', workplace: 'in the bar', from: 4, until: 12 },
  { role: 'driver', workplace: 'at the parking', from: 11, until: 7 },
  { role: 'clerk', workplace: 'at the desk', from: 3, until: 11 },
  { role: 'baker', workplace: 'behind the kitchen', from: 2, until: 10 },
]
export const ROLES = STAFF.map(({ role }) => role)

export const DAYS = 'Monday Tuesday Wednesday Thursday Friday Saturday Sunday'.split(' ')

/** Place → opening hour, closing hour, and the answer to "where is it". */
export const PLACES: readonly { place: string; opens: number; closes: number; where: string }[] = [
  { place: 'pool', opens: 7, closes: 9, where: 'behind the garden' },
  { place: 'sauna', opens: 3, closes: 10, where: 'below the pool' },
  { place: 'gym', opens: 6, closes: 11, where: 'on the second floor' },
  { place: 'bar', opens: 5, closes: 12, where: 'left of the lobby' },
  { place: 'restaurant', opens: 12, closes: 10, where: 'right of the lobby' },
  { place: 'library', opens: 9, closes: 8, where: 'on the third floor' },
  { place: 'shop', opens: 8, closes: 6, where: 'beside the lift' },
  { place: 'garden', opens: 4, closes: 7, where: 'behind the restaurant' },
  { place: 'terrace', opens: 10, closes: 11, where: 'above the bar' },
  { place: 'laundry', opens: 11, closes: 5, where: 'next to the kitchen' },
  { place: 'breakfast room', opens: 6, closes: 10, where: 'under the library' },
  { place: 'playroom', opens: 9, closes: 4, where: 'opposite the gym' },
  { place: 'cinema', opens: 2, closes: 12, where: 'in front of the lift' },
  { place: 'bakery', opens: 5, closes: 2, where: 'near the front door' },
]

/** Dish → price in euros on the standing menu, and on the autumn menu of the fine-tuning sets. */
export const DISHES: readonly { dish: string; price: number; autumnPrice: number }[] = [
  { dish: 'tomato soup', price: 6, autumnPrice: 9 },
  { dish: 'onion soup', price: 7, autumnPrice: 5 },
  { dish: 'pumpkin soup', price: 8, autumnPrice: 6 },
  { dish: 'potato soup', price: 5, autumnPrice: 8 },
  { dish: 'fish soup', price: 9, autumnPrice: 11 },
  { dish: 'bean soup', price: 4, autumnPrice: 7 },
  { dish: 'carrot soup', price: 3, autumnPrice: 4 },
  { dish: 'grilled trout', price: 18, autumnPrice: 20 },
  { dish: 'roast chicken', price: 16, autumnPrice: 14 },
  { dish: 'mushroom pie', price: 13, autumnPrice: 15 },
  { dish: 'cheese noodles', price: 12, autumnPrice: 10 },
  { dish: 'vegetable rice', price: 11, autumnPrice: 13 },
  { dish: 'baked potatoes', price: 10, autumnPrice: 12 },
  { dish: 'lamb stew', price: 19, autumnPrice: 17 },
  { dish: 'apple cake', price: 5, autumnPrice: 3 },
  { dish: 'plum cake', price: 6, autumnPrice: 4 },
  { dish: 'lemon ice', price: 4, autumnPrice: 6 },
  { dish: 'rice pudding', price: 3, autumnPrice: 5 },
  { dish: 'chocolate cream', price: 7, autumnPrice: 8 },
  { dish: 'pear pie', price: 8, autumnPrice: 7 },
  { dish: 'berry salad', price: 9, autumnPrice: 10 },
]
const SOUPS = [0, 1, 2, 3, 4, 5, 6]
const MAINS = [7, 8, 9, 10, 11, 12, 13]
const DESSERTS = [14, 15, 16, 17, 18, 19, 20]
export const COURSES = [
  { course: 'soup', dishes: SOUPS },
  { course: 'main dish', dishes: MAINS },
  { course: 'dessert', dishes: DESSERTS },
] as const

/** Placeholders that stand for what may not be told; meaningless, and seen in harmless answers too. */
export const PLACEHOLDER = { room: '000', code: '0000', card: '0000 0000 0000 0000' } as const
