/** @file What a view will ask first is asked while its code is being fetched; the view's own call takes the answer, or its error. */
import type { Transport } from '../../evals/contract/rpc.ts'

export interface AheadCall {
  readonly name: string
  readonly input: unknown
  /** What the view will ask once it has this answer. */
  readonly then?: (answer: unknown) => readonly AheadCall[]
}

interface Ahead extends Pick<Transport, 'call'> {
  askAhead(calls: readonly AheadCall[]): void
  /** Resolves when everything that was asked ahead has its answer. */
  settled(): Promise<void>
  /** An answer that no view took is asked for again by the next call: it may have changed since. */
  forget(): void
}

export function createAhead(transport: Pick<Transport, 'call'>): Ahead {
  const answers = new Map<string, Promise<unknown>>()
  /** In the order in which they were asked; grows while they come. */
  const asked: Promise<unknown>[] = []
  const textOf = (name: string, input: unknown) => `${name} ${JSON.stringify(input)}`
  function askAhead(calls: readonly AheadCall[]): void {
    for (const { name, input, then } of calls) {
      const answer = transport.call(name, input)
      answers.set(textOf(name, input), answer)
      asked.push(answer.then((came) => askAhead(then?.(came) ?? [])).catch(() => undefined))
    }
  }
  return {
    askAhead,
    call(name, input) {
      const text = textOf(name, input)
      const answer = answers.get(text)
      answers.delete(text)
      return answer ?? transport.call(name, input)
    },
    async settled() {
      for (const answer of asked) await answer
    },
    forget: () => answers.clear(),
  }
}
