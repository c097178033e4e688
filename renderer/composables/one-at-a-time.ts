/**
 * @file Of questions that are asked while one types, one is on its way at a time, and after it the newest. Each takes the engine
 * seconds for a large run: all of them one after another would answer what nobody asks any more, and make other pages wait.
 */

/** Resolves when `ask` has answered this input or a newer one. `ask` must not reject. */
export function oneAtATime<I extends unknown[]>(
  ask: (...input: I) => Promise<unknown>,
): (...input: I) => Promise<void> {
  let newest: I | undefined
  let working: Promise<void> | undefined
  async function work(): Promise<void> {
    while (newest) {
      const input = newest
      newest = undefined
      await ask(...input)
    }
    working = undefined
  }
  return (...input) => {
    newest = input
    return (working ??= work())
  }
}
