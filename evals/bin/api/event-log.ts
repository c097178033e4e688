/** @file Events as they come, for any number of readers, each from the first on. */

interface EventLog<T> {
  add(event: T): void
  /** No more will come. */
  readonly end: () => void
  /** No more will come, and readers throw `error` where they have read all. */
  readonly fail: (error: unknown) => void
  read(): AsyncIterator<T>
}

export function createEventLog<T>(): EventLog<T> {
  const events: T[] = []
  let end: { readonly error?: unknown; readonly isFailed: boolean } | undefined
  let waiting: (() => void)[] = []
  const wake = () => {
    const woken = waiting
    waiting = []
    for (const each of woken) each()
  }
  const close = (how: NonNullable<typeof end>) => {
    end = how
    wake()
  }
  return {
    add(event) {
      events.push(event)
      wake()
    },
    end: () => close({ isFailed: false }),
    fail: (error) => close({ error, isFailed: true }),
    async *read() {
      for (let next = 0; ; next += 1) {
        while (next === events.length && !end)
          await new Promise<void>((resolve) => waiting.push(resolve))
        if (next < events.length) yield events[next]!
        else if (end!.isFailed) throw end!.error
        else return
      }
    },
  }
}
