/** @file Where the window was and how large, kept for the next start in a file of the user's own. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { BrowserWindow, Rectangle, Screen } from 'electron'
import { z } from 'zod'

export const LEAST = { width: 800, height: 560 }
const INITIAL = { width: 1280, height: 860, isMaximised: false }

const State = z.object({
  x: z.int(),
  y: z.int(),
  width: z.int().min(LEAST.width),
  height: z.int().min(LEAST.height),
  isMaximised: z.boolean(),
})
type State = z.infer<typeof State>

/** What was kept, if it can be read and lies on a display that is there now; else Electron chooses the place. */
export function windowState(
  path: string,
  screen: Pick<Screen, 'getAllDisplays'>,
): State | typeof INITIAL {
  try {
    const state = State.parse(JSON.parse(readFileSync(path, 'utf8')))
    const isThere = screen.getAllDisplays().some(({ workArea }) => isIn(state, workArea))
    return isThere ? state : INITIAL
  } catch {
    return INITIAL
  }
}

/** The title's middle, by which a window is moved. */
const isIn = ({ x, y, width }: State, area: Rectangle): boolean =>
  x + width / 2 >= area.x &&
  x + width / 2 <= area.x + area.width &&
  y >= area.y &&
  y < area.y + area.height

type Kept = Pick<BrowserWindow, 'getNormalBounds' | 'isMaximized'>

/** A window that cannot be kept closes all the same. */
export function keepWindowState(path: string, window: Kept): void {
  const state: State = { ...window.getNormalBounds(), isMaximised: window.isMaximized() }
  try {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, JSON.stringify(state), { mode: 0o600 })
  } catch {
    return
  }
}
