/** What is asked while one types: a gate's preview, a plan. */
import { expect, test } from 'vitest'
import { oneAtATime } from '../../../renderer/composables/one-at-a-time.ts'

test('of many questions the first and the newest are asked, one after the other', async () => {
  const asked: string[] = []
  const answers: (() => void)[] = []
  const ask = oneAtATime((text: string) => {
    asked.push(text)
    return new Promise<void>((resolve) => answers.push(resolve))
  })
  const all = ['0', '0.', '0.5', '0.55'].map((text) => ask(text))
  expect(asked).toEqual(['0'])
  answers.shift()!()
  await expect.poll(() => asked).toEqual(['0', '0.55'])
  answers.shift()!()
  await Promise.all(all)
  // A later one begins at once.
  const later = ask('1')
  expect(asked).toEqual(['0', '0.55', '1'])
  answers.shift()!()
  await later
})
