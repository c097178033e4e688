/** @file A long list in pages: visible pages are loaded, distant ones dropped. */
import { ref, shallowRef, type Ref, type ShallowRef } from 'vue'
import type { WireError } from '../../evals/contract/wire-error.ts'
import { toWireError } from '../errors.ts'

interface Page<R> {
  readonly total: number
  readonly rows: readonly R[]
}
type LoadPage<R> = (offset: number, limit: number) => Promise<Page<R>>

interface Pages<R> {
  /** Undefined until the first page arrives. */
  readonly total: Ref<number | undefined>
  readonly error: ShallowRef<WireError | undefined>
  /** Undefined while its page loads. */
  readonly rowAt: (index: number) => R | undefined
  /** Sets the visible rows. */
  readonly want: (from: number, to: number) => void
  /** Starts again with another or a changed list. */
  readonly reset: () => Promise<void>
}

export const PAGE_ROWS = 200
/** Pages kept around the visible ones. */
const KEPT_PAGES = 12

export function usePages<R>(load: LoadPage<R>): Pages<R> {
  const total = ref<number>()
  const error = shallowRef<WireError>()
  const pages = shallowRef<ReadonlyMap<number, readonly R[]>>(new Map())
  const asked = new Set<number>()
  let generation = 0

  async function fetchPage(page: number): Promise<void> {
    if (asked.has(page) || pages.value.has(page)) return
    const mine = generation
    asked.add(page)
    try {
      const answer = await load(page * PAGE_ROWS, PAGE_ROWS)
      if (mine !== generation) return
      total.value = answer.total
      pages.value = nearest(new Map(pages.value).set(page, answer.rows), page)
      error.value = undefined
    } catch (problem) {
      if (mine === generation) error.value = toWireError(problem)
    } finally {
      if (mine === generation) asked.delete(page)
    }
  }

  function want(from: number, to: number): void {
    for (let page = pageOf(from); page <= pageOf(to); page++) void fetchPage(page)
  }

  async function reset(): Promise<void> {
    generation++
    asked.clear()
    pages.value = new Map()
    total.value = undefined
    await fetchPage(0)
  }

  const rowAt = (index: number) => pages.value.get(pageOf(index))?.[index % PAGE_ROWS]
  return { total, error, rowAt, want, reset }
}

const pageOf = (index: number) => Math.floor(Math.max(0, index) / PAGE_ROWS)

/** Keeps the pages nearest to `centre`, so that memory does not grow with scrolling. */
export function nearest<R>(
  pages: ReadonlyMap<number, R>,
  centre: number,
  kept = KEPT_PAGES,
): ReadonlyMap<number, R> {
  if (pages.size <= kept) return pages
  const near = [...pages].sort(([a], [b]) => Math.abs(a - centre) - Math.abs(b - centre))
  return new Map(near.slice(0, kept))
}
