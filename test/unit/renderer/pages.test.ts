import { describe, expect, test } from 'vitest'
import { nearest, usePages } from '../../../renderer/composables/use-pages.ts'
import { useAsk } from '../../../renderer/composables/use-ask.ts'
import { EngineError } from '../../../evals/contract/rpc.ts'

const later = <T>(value: T, milliseconds: number) =>
  new Promise<T>((resolve) => setTimeout(() => resolve(value), milliseconds))

describe('pages', () => {
  const numbers = async (offset: number, limit: number) => ({
    total: 100_000,
    rows: Array.from({ length: limit }, (_, i) => offset + i),
  })
  test('bring what is in sight, once', async () => {
    const asked: number[] = []
    const pages = usePages(async (offset, limit) => {
      asked.push(offset)
      return numbers(offset, limit)
    })
    await pages.reset()
    expect(pages.total.value).toBe(100_000)
    expect(pages.rowAt(5)).toBe(5)
    expect(pages.rowAt(5000)).toBeUndefined()
    pages.want(4990, 5010)
    pages.want(4990, 5010)
    await later(undefined, 5)
    expect(pages.rowAt(5000)).toBe(5000)
    expect(asked).toEqual([0, 4800, 5000])
  })
  test('a stale page never overwrites a new list', async () => {
    let source = 'old'
    const pages = usePages(async () => {
      const mine = source
      await later(undefined, mine === 'old' ? 20 : 1)
      return { total: 1, rows: [mine] }
    })
    const old = pages.reset()
    source = 'new'
    await pages.reset()
    await old
    expect(pages.rowAt(0)).toBe('new')
  })
  test('those far away are forgotten', () => {
    const all = new Map(Array.from({ length: 30 }, (_, i) => [i, i]))
    expect([...nearest(all, 20, 3).keys()].sort((a, b) => a - b)).toEqual([19, 20, 21])
  })
  test('a failure is told with its remedy', async () => {
    const error = { code: 'x', message: 'It broke.', remedy: 'Mend it.' }
    const pages = usePages(() => Promise.reject(new EngineError(error)))
    await pages.reset()
    expect(pages.error.value).toEqual(error)
  })
})

describe('asking', () => {
  test('a stale answer never overwrites a newer one', async () => {
    const { answer, ask } = useAsk((text: string, milliseconds: number) =>
      later(text, milliseconds),
    )
    await Promise.all([ask('slow', 20), ask('fast', 1)])
    expect(answer.value).toBe('fast')
  })
  test('anything but the engine’s own errors is our bug and says so', async () => {
    const { error, isLoading, ask } = useAsk(() => Promise.reject(new Error('internal: x')))
    await ask()
    expect(error.value).toMatchObject({ code: 'internal', message: 'internal: x' })
    expect(isLoading.value).toBe(false)
  })
})
