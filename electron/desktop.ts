/** @file The calls that the shell answers itself; see `evals/contract/desktop.ts`. */
import type { Dialog, NotificationConstructorOptions, OpenDialogOptions, Shell } from 'electron'
import { desktop, type PICKS } from '../evals/contract/desktop.ts'
import type { Answer, Ask } from '../evals/contract/rpc.ts'
import type { Handles } from './handles.ts'

interface DesktopParts {
  readonly dialog: Pick<Dialog, 'showOpenDialog'>
  readonly shell: Pick<Shell, 'showItemInFolder'>
  readonly notify: (options: NotificationConstructorOptions) => void
  readonly handles: Handles
  /** Paths that the program was opened with since this was last called. */
  readonly takeOpened: () => readonly string[]
}

const OPTIONS: Readonly<Record<(typeof PICKS)[number], OpenDialogOptions>> = {
  model: {
    properties: ['openFile', 'openDirectory'],
    filters: [{ name: 'Models', extensions: ['gguf', '*'] }],
  },
  data: {
    properties: ['openFile'],
    filters: [{ name: 'Data', extensions: ['jsonl', 'json', 'csv', 'parquet'] }],
  },
  folder: { properties: ['openDirectory', 'createDirectory'] },
  file: { properties: ['openFile'] },
}

/** Undefined for calls of the engine. */
export async function answerDesktop(
  { name, input }: Ask,
  { dialog, shell, notify, handles, takeOpened }: DesktopParts,
): Promise<Answer | undefined> {
  switch (name) {
    case 'desktop.pick': {
      const { kind } = desktop.pick.input.parse(input)
      const { filePaths, canceled } = await dialog.showOpenDialog(OPTIONS[kind])
      const [path] = filePaths
      return { ok: true, value: canceled || path === undefined ? null : handles.give(path) }
    }
    case 'desktop.opened':
      return { ok: true, value: takeOpened().map((path) => handles.give(path)) }
    case 'desktop.reveal': {
      const { path } = desktop.reveal.input.parse(input)
      shell.showItemInFolder(String(handles.resolve(path)))
      return { ok: true, value: null }
    }
    case 'desktop.notify': {
      const { title, text } = desktop.notify.input.parse(input)
      notify({ title, body: text })
      return { ok: true, value: null }
    }
    default:
      return undefined
  }
}
