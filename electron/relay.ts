/** @file The two channels between window and shell. Other senders and messages that are not calls are refused. */
import type { IpcMain, IpcMainInvokeEvent } from 'electron'
import { Ask, type Answer } from '../evals/contract/rpc.ts'
import { isOurs } from './security.ts'

export const CALL = 'touchstone:call'
export const FEED = 'touchstone:feed'

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
