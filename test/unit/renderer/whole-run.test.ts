/** The progress of a whole run, not of the phase that is open. */
import { describe, expect, test } from 'vitest'
import { wholeRun } from '../../../renderer/charts/whole-run.ts'

const line = (unit: string, count: number, seconds: number | null) => ({
  ...{ what: unit, unit, count, seconds },
})
const phase = (unit: string, done: number, seconds: number) => ({
  ...{ unit, done, startedAt: 5000, at: 5000 + 1000 * seconds },
})
const plan = [line('step', 100, 100), line('prompt', 40, 20), line('prompt', 60, 80)]

describe('a whole run', () => {
  test('that has not begun takes what its plan says', () => {
    expect(wholeRun(plan, [])).toEqual({ share: 0, secondsLeft: 200 })
  })
  test('goes on as fast as it went, and by the plan in what has not begun', () => {
    // Steps take twice as long as planned: 100 s are gone, 100 s of steps and 100 s of prompts are left.
    expect(wholeRun(plan, [phase('step', 50, 100)])).toEqual({ share: 1 / 3, secondsLeft: 200 })
  })
  test('counts the samples of phases as the prompts of the plan, over all phases', () => {
    const told = [phase('step', 100, 100), phase('sample', 40, 40), phase('sample', 10, 10)]
    expect(wholeRun(plan, told)).toEqual({ share: 0.75, secondsLeft: 50 })
  })
  test('that repeated a phase after a stop is never more than done', () => {
    expect(wholeRun([line('step', 10, 10)], [phase('step', 14, 14)])).toEqual({
      ...{ share: 1, secondsLeft: 0 },
    })
  })
  test('is told once each part has a pace', () => {
    const open = [line('cell', 10, null)]
    expect(wholeRun(open, [])).toBeUndefined()
    expect(wholeRun(open, [phase('cell', 1, 0.1)])).toBeUndefined()
    expect(wholeRun(open, [phase('cell', 5, 50)])).toEqual({ share: 0.5, secondsLeft: 50 })
    expect(wholeRun([], [])).toBeUndefined()
  })
  test('is told without the parts that have none, and names them', () => {
    const some = [...plan, line('matrix', 10, null)]
    expect(wholeRun(some, [phase('step', 50, 100)])).toEqual({
      ...{ share: 1 / 3, secondsLeft: 200, untimed: ['matrix'] },
    })
    expect(wholeRun(some, [phase('matrix', 5, 50)])).toEqual({ share: 1 / 6, secondsLeft: 250 })
  })
})
