/** Answers that were asked before the view that needs them was there. */
import { expect, test } from 'vitest'
import { createAhead } from '../../../renderer/transports/ahead.ts'

/** Each answer is its number. */
function counted() {
  const asked: string[] = []
  const call = (name: string) => Promise.resolve(asked.push(name))
  return { asked, ahead: createAhead({ call }) }
}
const LIST = { name: 'run.list', input: {} }

test('the view’s first call takes what was asked ahead, the next one asks', async () => {
  const { asked, ahead } = counted()
  ahead.askAhead([LIST])
  expect(await ahead.call('run.list', {})).toBe(1)
  expect(await ahead.call('run.list', {})).toBe(2)
  expect(await ahead.call('run.list', { isDeleted: true })).toBe(3)
  expect(asked).toHaveLength(3)
})

test('what no view took is no answer of a later call', async () => {
  const { ahead } = counted()
  ahead.askAhead([LIST])
  ahead.forget()
  expect(await ahead.call('run.list', {})).toBe(2)
})

test('what an answer leads to is asked at once, and waited for', async () => {
  const { asked, ahead } = counted()
  ahead.askAhead([{ ...LIST, then: (answer) => [{ name: 'run.summary', input: { answer } }] }])
  await ahead.settled()
  expect(asked).toEqual(['run.list', 'run.summary'])
  expect(await ahead.call('run.summary', { answer: 1 })).toBe(2)
})

test('an error that nobody waits for is caught, and told to who asks', async () => {
  const ahead = createAhead({ call: () => Promise.reject(new Error('gone')) })
  ahead.askAhead([LIST])
  await new Promise((resolve) => setTimeout(resolve))
  await expect(ahead.call('run.list', {})).rejects.toThrow('gone')
})
