/** @file The state of one call of the engine in a view: answer, loading, error. */
import { ref, shallowRef, type Ref, type ShallowRef } from 'vue'
import type { WireError } from '../../evals/contract/wire-error.ts'
import { toWireError } from '../errors.ts'

export interface Ask<I extends unknown[], O> {
  /** Undefined until it arrives. Not named `value`, which Vue would take for a ref. */
  readonly answer: ShallowRef<O | undefined>
  readonly error: ShallowRef<WireError | undefined>
  readonly isLoading: Ref<boolean>
  /** Never rejects; a stale answer never overwrites a newer one. */
  readonly ask: (...input: I) => Promise<O | undefined>
}

export function useAsk<I extends unknown[], O>(question: (...input: I) => Promise<O>): Ask<I, O> {
  const answer = shallowRef<O>()
  const error = shallowRef<WireError>()
  const isLoading = ref(false)
  let latest = 0

  async function ask(...input: I): Promise<O | undefined> {
    const mine = ++latest
    isLoading.value = true
    try {
      const came = await question(...input)
      if (mine !== latest) return came
      answer.value = came
      error.value = undefined
      return came
    } catch (problem) {
      if (mine === latest) error.value = toWireError(problem)
      return undefined
    } finally {
      if (mine === latest) isLoading.value = false
    }
  }
  return { answer, error, isLoading, ask }
}
