/** @file Every outcome (b, c) of n paired prompts with its probability, summed cell by cell: slow, and nothing to get wrong. */

interface Trinomial {
  readonly probability: (
    isInside: (lost: number, gained: number) => boolean,
    at: { readonly lost: number; readonly gained: number },
  ) => number
}

export function trinomial(n: number): Trinomial {
  const logFactorial = [0]
  for (let k = 1; k <= n; k++) logFactorial.push(logFactorial[k - 1]! + Math.log(k))
  const times = (count: number, log: number) => (count === 0 ? 0 : count * log)
  const known = new Map<unknown, boolean[]>()
  return {
    probability(isInside, { lost, gained }) {
      const inside = known.get(isInside) ?? membership(n, isInside)
      known.set(isInside, inside)
      const logs = [lost, gained, 1 - lost - gained].map((p) => Math.log(Math.max(0, p)))
      let [sum, place] = [0, 0]
      for (let b = 0; b <= n; b++) {
        for (let c = 0; b + c <= n; c++) {
          if (!inside[place++]) continue
          const rest = n - b - c
          const ways = logFactorial[n]! - logFactorial[b]! - logFactorial[c]! - logFactorial[rest]!
          sum += Math.exp(ways + times(b, logs[0]!) + times(c, logs[1]!) + times(rest, logs[2]!))
        }
      }
      return sum
    },
  }
}

function membership(n: number, isInside: (lost: number, gained: number) => boolean): boolean[] {
  const inside: boolean[] = []
  for (let b = 0; b <= n; b++) for (let c = 0; b + c <= n; c++) inside.push(isInside(b, c))
  return inside
}
