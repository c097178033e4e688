/**
 * @file Frees arrays that nothing refers to any more. V8 lets those of large weights lie: it sees small objects, while each holds megabytes
 * outside its heap.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

let collect: (() => void) | undefined

/** Takes some tens of milliseconds: for use between model states, not between steps. */
export function freeGarbage(): void {
  if (!collect) {
    // Only contexts that are created from now on have it.
    setFlagsFromString('--expose-gc')
    collect = runInNewContext('gc') as () => void
  }
  collect()
}
