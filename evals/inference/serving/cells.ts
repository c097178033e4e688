/** @file Which cells of a pool are taken, by tokens of the cache or by adapters (S-LoRA, section 5.2: unified paging). */

export interface Cells {
  readonly size: number
  /** Number of free cells. */
  readonly free: number
  /** The first `count` free cells, ascending and not necessarily adjacent; undefined where fewer are free. */
  take(count: number): Int32Array | undefined
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
