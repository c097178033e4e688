/** @file Land and sea at places that everyone can look up, and in what share of the earth. */
import { expect, test } from 'vitest'
import { isLand } from '../../../evals/bundled/places/coast.ts'
import { randomStream } from '../../../evals/statistics/random.ts'

test.each([
  ['Berlin', 13.4, 52.5, true],
  ['the middle of the Atlantic', -30, 30, false],
  ['the South Pole', 77, -90, true],
  ['the North Pole', 10, 90, false],
  ['Alice Springs', 133.9, -23.7, true],
  ['Chukotka, east of 180°', -175, 66.5, true],
  ['the Black Sea, inside a continent', 34, 43, false],
  ['the Caspian Sea, a hole in the land', 51, 41, false],
  ['the Pacific at 180°', 180, 0, false],
  ['the Pacific at −180°', -180, 0, false],
])('%s', (_, lon, lat, expected) => expect(isLand(lon, lat)).toBe(expected))

test('29 % of the earth is land', () => {
  const stream = randomStream(0, 'coast')
  const count = 20_000
  let land = 0
  for (let i = 0; i < count; i++) {
    const lat = (Math.asin(2 * stream.uniform() - 1) * 180) / Math.PI
    if (isLand(360 * stream.uniform() - 180, lat)) land++
  }
  // Four standard errors around 0.292.
  expect(Math.abs(land / count - 0.292)).toBeLessThan(4 * Math.sqrt((0.292 * 0.708) / count))
})
