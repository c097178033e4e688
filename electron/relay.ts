/** @file The channels between window and shell. Other senders and messages that are not calls are refused. */
import type { IpcMain, IpcMainInvokeEvent } from 'electron'
import { z } from 'zod'
import { Ask, type Answer } from '../evals/contract/rpc.ts'
import { isOurs } from './security.ts'

export const CALL = 'touchstone:call'
export const FEED = 'touchstone:feed'
export const DROP = 'touchstone:drop'

const LARGEST_MESSAGE = 2 ** 20

const refused = (message: string): Answer => ({
  ok: false,
  error: {
    code: 'usage.message',
    message,
    remedy: 'Load the window again; if that does not help, report it.',
  },
})

/** Closed to the window, because the shell has a file dialog. */
const CLOSED: ReadonlySet<string> = new Set(['file.list'])

export function relayCalls(
  ipc: Pick<IpcMain, 'handle'>,
  answer: (ask: Ask) => Promise<Answer>,
): void {
  ipc.handle(CALL, async (event: IpcMainInvokeEvent, message: unknown): Promise<Answer> => {
    if (!isOurs(event.senderFrame)) return refused('Only the window is answered.')
    const ask = Ask.safeParse(message)
    if (!ask.success) return refused('The message is not a call.')
    if (CLOSED.has(ask.data.name)) return refused('The desktop has a picker for files.')
    if (JSON.stringify(ask.data).length > LARGEST_MESSAGE)
      return refused('The message is too large.')
    return answer(ask.data).catch(() => refused('The message could not be answered.'))
  })
}

/** The preload alone knows the paths of what is dropped; the page never does. */
export function relayDrops(
  ipc: Pick<IpcMain, 'handle'>,
  dropped: (paths: readonly string[]) => void,
): void {
  ipc.handle(DROP, (event: IpcMainInvokeEvent, paths: unknown) => {
    const found = Dropped.safeParse(paths)
    if (isOurs(event.senderFrame) && found.success) dropped(found.data)
  })
}

const Dropped = z.array(z.string().min(1).max(4096)).max(20)
