/** @file Which cells of a pool are taken, by tokens of the cache or by adapters (S-LoRA, section 5.2: unified paging). */

export interface Cells {
  readonly size: number
  /** Number of free cells. */
  readonly free: number
  /** The first `count` free cells, ascending and not necessarily adjacent; undefined where fewer are free. */
  take(count: number): Int32Array | undefined
  /**
   * For adapters: the highest adjacent ones; undefined where no so many are adjacent. Caches take the lowest, so that neither cuts the
   * other into pieces, which would be copied together for each product.
   */
  takeTogether(count: number): Int32Array | undefined
  give(cells: Int32Array): void
}

export function createCells(size: number): Cells {
  const taken = new Uint8Array(size)
  let free = size
  /** No cell below is free. */
  let lowest = 0
  return {
    size,
    get free() {
      return free
    },
    take(count) {
      if (count > free) return undefined
      const found = new Int32Array(count)
      for (let n = 0; n < count; lowest++) {
        if (taken[lowest] === 1) continue
        taken[lowest] = 1
        found[n++] = lowest
      }
      free -= count
      return found
    },
    takeTogether(count) {
      const first = highestRun(taken, count)
      if (first === undefined) return undefined
      taken.fill(1, first, first + count)
      free -= count
      return Int32Array.from({ length: count }, (_, i) => first + i)
    },
    give(cells) {
      for (const cell of cells) {
        if (taken[cell] !== 1) throw new Error(`internal: the cell ${cell} was given back twice`)
        taken[cell] = 0
        lowest = Math.min(lowest, cell)
      }
      free += cells.length
    },
  }
}

/** The first cell of the highest `count` adjacent free ones; undefined where no so many are adjacent. */
function highestRun(taken: Uint8Array, count: number): number | undefined {
  for (let end = taken.length; end >= count;) {
    const last = taken.lastIndexOf(1, end - 1)
    if (end - Math.max(last + 1, 0) >= count) return end - count
    end = taken.lastIndexOf(0, last) + 1
  }
  return undefined
}
