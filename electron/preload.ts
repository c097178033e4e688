/** @file What the window may do: two functions. They know no call by name, and hand nothing of Electron's on. */
import { contextBridge, ipcRenderer } from 'electron'

// Bundled on its own and sandboxed, so it names its channels again; a test holds them to relay.ts.
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
