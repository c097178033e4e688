/** @file Every row goes to one client, by the seed alone; clients are asked and lost as often as is said. */
import { describe, expect, test } from 'vitest'
import {
  attendance,
  splitByGroup,
  splitEvenly,
} from '../../../../evals/finetune/federation/split.ts'

const all = (split: readonly (readonly number[])[]) => split.flat().sort((a, b) => a - b)
const whole = (rows: number) => [...Array(rows).keys()]

test('an even split differs by at most one row', () => {
  const split = splitEvenly(23, 5, 1)
  expect(split.map(({ length }) => length)).toEqual([5, 5, 5, 4, 4])
  expect(all(split)).toEqual(whole(23))
  expect(splitEvenly(23, 5, 1)).toEqual(split)
  expect(splitEvenly(23, 5, 2)).not.toEqual(split)
  expect(() => splitEvenly(4, 5, 0)).toThrow(
    expect.objectContaining({ code: 'federation.few-rows' }),
  )
})

describe('Dirichlet', () => {
  const groups = Array.from({ length: 400 }, (_, row) => `group ${row % 4}`)
  /** Mean over clients of the share of a client's largest group. */
  function purity(alpha: number): number {
    const split = splitByGroup(groups, 8, alpha, 3)
    expect(all(split)).toEqual(whole(400))
    const shares = split.map((rows) => {
      const counts = [...Map.groupBy(rows, (row) => groups[row]!).values()]
      return Math.max(...counts.map(({ length }) => length)) / rows.length
    })
    return shares.reduce((sum, share) => sum + share, 0) / shares.length
  }

  test('gives clients few groups where α is small, and all of them where it is large', () => {
    expect(purity(0.05)).toBeGreaterThan(0.75)
    expect(purity(1000)).toBeLessThan(0.4)
  })

  test('says where no draw leaves every client a row', () => {
    const one = Array.from({ length: 8 }, () => 'one group')
    expect(() => splitByGroup(one, 8, 0.01, 0)).toThrow(
      expect.objectContaining({ code: 'federation.empty-client' }),
    )
  })
})

test('clients are sampled without repetition, and lost by chance', () => {
  const rounds = whole(400).map((round) =>
    attendance({ clients: 8, sampled: 4, dropout: 0.25 }, round, 5),
  )
  for (const { asked, answered } of rounds) {
    expect(new Set(asked).size).toBe(4)
    expect(asked).toEqual(asked.toSorted((a, b) => a - b))
    expect(answered.every((client) => asked.includes(client))).toBe(true)
  }
  const share = rounds.reduce((sum, { answered }) => sum + answered.length, 0) / 1600
  expect(Math.abs(share - 0.75)).toBeLessThan(0.04)
  const everyone = attendance({ clients: 3, sampled: 3, dropout: 0 }, 0, 0)
  expect(everyone).toEqual({ asked: [0, 1, 2], answered: [0, 1, 2] })
})
