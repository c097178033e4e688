/** @file Paths that the program was opened with: named as it was started, chosen in the system's "Open with", or dropped. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'

export interface Opened {
  add(paths: readonly string[]): void
  /** Those that were added since it was last called. */
  take(): string[]
}

export function createOpened(): Opened {
  let waiting: string[] = []
  return {
    add(paths) {
      waiting = [...new Set([...waiting, ...paths])]
    },
    take() {
      const taken = waiting
      waiting = []
      return taken
    },
  }
}

/**
 * Of a command line: what follows the program (and, of a clone, the folder that Electron was given), names no switch and
 * exists. `from` is the folder that it was typed in.
 */
export function namedPaths(words: readonly string[], isPackaged: boolean, from: string): string[] {
  const named = words.slice(isPackaged ? 1 : 2).filter((word) => !word.startsWith('-'))
  return named.map((word) => resolve(from, word)).filter((path) => existsSync(path))
}
