/** @file Paths that the program was opened with: named as it was started, chosen in the system's "Open with", or dropped. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { App } from 'electron'

export interface Opened {
  readonly add: (paths: readonly string[]) => void
  /** Those that were added since it was last called. */
  readonly take: () => string[]
}

/** `words`: the command line that started it. Called before `app` is ready, because macOS says then what it was opened with. */
export function hearOpened(app: Pick<App, 'on' | 'isPackaged'>, words: readonly string[]): Opened {
  let waiting: string[] = []
  const add = (paths: readonly string[]) => {
    waiting = [...new Set([...waiting, ...paths])]
  }
  add(namedPaths(words, app.isPackaged, process.cwd()))
  app.on('open-file', (event, path) => {
    event.preventDefault()
    add([path])
  })
  app.on('second-instance', (_, named, folder) => add(namedPaths(named, app.isPackaged, folder)))
  const take = () => {
    const taken = waiting
    waiting = []
    return taken
  }
  return { add, take }
}

/**
 * Of a command line: what follows the program (and, of a clone, the folder that Electron was given), names no switch and
 * exists. `from` is the folder that it was typed in.
 */
function namedPaths(words: readonly string[], isPackaged: boolean, from: string): string[] {
  const named = words.slice(isPackaged ? 1 : 2).filter((word) => !word.startsWith('-'))
  return named.map((word) => resolve(from, word)).filter((path) => existsSync(path))
}
