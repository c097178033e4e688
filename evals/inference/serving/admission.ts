/**
 * @file Which waiting requests join the batch: first come, first served, while the cells suffice until every reply has its
 * full length (S-LoRA, section 4; the rule of its scheduler, docs/serving.md).
 */
import { evenWidth } from '../feeds.ts'

export interface Claim {
  /** Tokens in the cache: the prompt and what is written of the reply. */
  readonly held: number
  /** Tokens that may still be written. */
  readonly left: number
  /** The adapter that it needs in the pool, and its cells; absent for the base. */
  readonly adapter?: { readonly name: string; readonly cells: number } | undefined
}

export interface Limits {
  /** Cells of the pool. */
  readonly cells: number
  /** Requests side by side. */
  readonly rows: number
  /** Tokens of the prompts that are read in one run. */
  readonly promptTokens: number
}

/**
 * Most cells that the cache will take. Every request writes one token a step, and those with fewer tokens left end earlier: with
 * left₁ ≥ left₂ ≥ …, just before request i ends, requests 1 … i hold their tokens and leftᵢ more each, so that
 * need = maxᵢ (i·leftᵢ + Σ_{j≤i} heldⱼ).
 */
export function cellsNeeded(claims: readonly Claim[]): number {
  let [held, need] = [0, 0]
  const sorted = claims.toSorted((a, b) => b.left - a.left)
  for (const [i, claim] of sorted.entries()) {
    held += claim.held
    need = Math.max(need, (i + 1) * claim.left + held)
  }
  return need
}

/** Cells of the adapters, each counted once however many requests share it. */
export const adapterCells = (claims: readonly Claim[]): number =>
  [
    ...new Map(
      claims.flatMap(({ adapter }) => (adapter ? [[adapter.name, adapter.cells] as const] : [])),
    ).values(),
  ].reduce((sum, cells) => sum + cells, 0)

/** Tokens that are computed at once: what more of them give falls out of the processor's cache from operator to operator. */
const READ_AT_ONCE = 512

/** Prompts as they are read: the shortest first, so that little is padded, and one alone however long it is. */
export function readings<R extends { readonly ids: readonly number[] }>(rows: readonly R[]): R[][] {
  const parts: R[][] = []
  for (const row of rows.toSorted((a, b) => a.ids.length - b.ids.length)) {
    const last = parts.at(-1)
    const fitsIn = last && (last.length + 1) * evenWidth(row.ids.length) <= READ_AT_ONCE
    if (fitsIn) last.push(row)
    else parts.push([row])
  }
  return parts
}

/** Strictly less, as S-LoRA's: one cell stays free. */
export const fits = (claims: readonly Claim[], { cells }: Pick<Limits, 'cells'>): boolean =>
  cellsNeeded(claims) < cells - adapterCells(claims)

/** How many of the waiting, from the first on, join the running. Nobody overtakes one that does not fit. */
export function admitted(
  running: readonly Claim[],
  waiting: readonly Claim[],
  limits: Limits,
): number {
  let [most, tokens] = [0, 0]
  for (const { held } of waiting.slice(0, Math.max(0, limits.rows - running.length))) {
    tokens += held
    if (tokens > limits.promptTokens) break
    most++
  }
  // What more requests need is never less: the first count that does not fit is found by halving.
  let least = 0
  while (least < most) {
    const count = Math.ceil((least + most) / 2)
    if (fits([...running, ...waiting.slice(0, count)], limits)) least = count
    else most = count - 1
  }
  return least
}
