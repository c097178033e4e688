/** @file What a view will ask first is asked while its code is being fetched; the view's own call takes the answer, or its error. */
import type { Transport } from '../../evals/contract/rpc.ts'

export interface AheadCall {
  readonly name: string
  readonly input: unknown
}

interface Ahead extends Pick<Transport, 'call'> {
  askAhead(calls: readonly AheadCall[]): void
  /** An answer that no view took is asked for again by the next call: it may have changed since. */
  forget(): void
}

export function createAhead(transport: Pick<Transport, 'call'>): Ahead {
  const answers = new Map<string, Promise<unknown>>()
  const textOf = (name: string, input: unknown) => `${name} ${JSON.stringify(input)}`
  return {
    askAhead(calls) {
      for (const { name, input } of calls) {
        const answer = transport.call(name, input)
        answers.set(textOf(name, input), answer)
        answer.catch(() => undefined)
      }
    },
    call(name, input) {
      const text = textOf(name, input)
      const answer = answers.get(text)
      answers.delete(text)
      return answer ?? transport.call(name, input)
    },
    forget: () => answers.clear(),
  }
}
