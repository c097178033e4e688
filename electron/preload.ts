/**
 * @file The two functions that the window gets, `call` and `listen`; they expose nothing of Electron. What is dropped on the
 * window is told to the shell from here, because a page cannot know its path.
 */
import { contextBridge, ipcRenderer, webUtils } from 'electron'

// Bundled on its own and sandboxed, so the channels of relay.ts are repeated; a test compares them.
contextBridge.exposeInMainWorld('touchstone', {
  call: (name: unknown, input: unknown): Promise<unknown> =>
    ipcRenderer.invoke('touchstone:call', { name: String(name), input }),
  listen(listener: (message: unknown) => void): () => void {
    const heard = (_: unknown, message: unknown) => listener(message)
    ipcRenderer.on('touchstone:feed', heard)
    return () => {
      ipcRenderer.removeListener('touchstone:feed', heard)
    }
  },
})

declare function addEventListener(
  type: 'drop',
  listener: (event: { readonly dataTransfer: { readonly files: Iterable<File> } | null }) => void,
  options: { readonly capture: boolean },
): void

// First, so that the shell knows the paths when the page asks what was opened.
addEventListener(
  'drop',
  (event) => {
    const paths = [...(event.dataTransfer?.files ?? [])].map((file) =>
      webUtils.getPathForFile(file),
    )
    if (paths.length > 0) void ipcRenderer.invoke('touchstone:drop', paths)
  },
  { capture: true },
)
