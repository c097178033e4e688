/** @file The gate's size and power on few draws; `npm run bench:gate` has the rest, and docs/evidence.md its table. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import {
  gateShares,
  MARGIN,
  monteCarloError,
  SCENARIOS,
  tableLine,
  type DrawnRow,
} from '../../../bench/gate-draws.ts'

const DRAWS = 60
/** 5 %, and three standard errors of so many draws. */
const MOST = 0.05 + 3 * monteCarloError(DRAWS)

test.each([
  '150 prompts',
  '60 clusters of 4, ICC 0.3',
  '400 prompts, judge errs unequally, 200 labelled',
])('%s: at the margin a PASS or a FAIL is rare, and without harm a FAIL never comes', (name) => {
  const at = gateShares(SCENARIOS[name]!, [MARGIN, 0], DRAWS)
  expect(at.PASS).toBeLessThanOrEqual(MOST)
  expect(at.FAIL).toBeLessThanOrEqual(MOST)
  expect(gateShares(SCENARIOS[name]!, [0, 0], DRAWS / 4).FAIL).toBe(0)
})

test('150 prompts without harm pass, at three margins they fail', () => {
  expect(gateShares(SCENARIOS['150 prompts']!, [0, 0], DRAWS).PASS).toBeGreaterThan(0.85)
  expect(gateShares(SCENARIOS['150 prompts']!, [3 * MARGIN, 0], DRAWS).FAIL).toBeGreaterThan(0.85)
})

test('the table in docs/evidence.md is that of the committed results', () => {
  const read = (path: string) =>
    readFileSync(new URL(`../../../../${path}`, import.meta.url), 'utf8')
  const { rows } = JSON.parse(read('test/bench/results/gate.json')) as { rows: DrawnRow[] }
  expect(rows.map(({ name }) => name)).toEqual(Object.keys(SCENARIOS))
  const docs = read('docs/evidence.md').replaceAll(/ +/gu, ' ')
  for (const row of rows) expect(docs).toContain(tableLine(row))
})
