/**
 * @file Frees arrays that nothing refers to any more, and gives freed memory back. V8 lets the arrays of large weights lie: it sees
 * small objects, while each holds megabytes outside its heap. glibc keeps what is freed between blocks that are in use: of a
 * packed model nearly all of it.
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
  // Arrays are else freed by another thread, often after the heaps below were looked at.
  setFlagsFromString('--no-concurrent-array-buffer-sweeping')
  collect()
  setFlagsFromString('--concurrent-array-buffer-sweeping')
  giveBackFreed()
}

/** Of `node:ffi`, which the pinned Node has and calls an experiment. */
interface Ffi {
  dlopen(
    library: string,
    functions: { malloc_trim: { return: 'i32'; arguments: readonly ['u64'] } },
  ): { functions: { readonly malloc_trim: (pad: bigint) => number } }
}

let trim: ((pad: bigint) => unknown) | undefined

/** Gives what glibc's heaps hold and nobody uses back to the system. Without glibc or `node:ffi` nothing happens. */
function giveBackFreed(): void {
  trim ??= foundTrim() ?? (() => undefined)
  trim(0n)
}

function foundTrim() {
  if (process.platform !== 'linux') return undefined
  try {
    return withoutWarning(
      () => process.getBuiltinModule('node:ffi') as unknown as Ffi | undefined,
    )?.dlopen('libc.so.6', {
      malloc_trim: { return: 'i32', arguments: ['u64'] },
    }).functions.malloc_trim
  } catch {
    // Another libc, or a Node whose experiment looks otherwise.
    return undefined
  }
}

/** Node warns of an experiment on stderr, which in a child process is the text of its failure. */
function withoutWarning<T>(load: () => T): T {
  const emitWarning = process.emitWarning.bind(process)
  process.emitWarning = () => undefined
  try {
    return load()
  } finally {
    process.emitWarning = emitWarning
  }
}
