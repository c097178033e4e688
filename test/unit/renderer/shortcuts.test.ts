/** Keys that lead about the window, and those that are left to fields. */
import { expect, test } from 'vitest'
import { actionOf } from '../../../renderer/shortcuts.ts'

const PLACES = [{ name: 'runs', key: 'r' }, { name: 'verdict' }]
const press = (key: string, isGoing: boolean, more = {}) =>
  actionOf(
    { ...{ key, altKey: false, ctrlKey: false, metaKey: false, target: null }, ...more },
    PLACES,
    isGoing,
  )

test('a page’s letter leads there after “g”, and does nothing without it', () => {
  expect(press('r', true)).toEqual({ type: 'go', name: 'runs' })
  expect(press('R', true)).toEqual({ type: 'go', name: 'runs' })
  expect(press('r', false)).toBeUndefined()
  expect(press('x', true)).toBeUndefined()
})

test('the sheet and the search have keys, and “g” begins', () => {
  expect(['?', '/', 'g'].map((key) => press(key, false)?.type)).toEqual([
    ...['help', 'search', 'begin'],
  ])
})

test('nothing is taken from a field, or from the browser', () => {
  const field = { target: { matches: (selector: string) => selector.includes('textarea') } }
  expect(press('?', false, field)).toBeUndefined()
  expect(press('r', true, field)).toBeUndefined()
  expect(press('r', true, { ctrlKey: true })).toBeUndefined()
})
