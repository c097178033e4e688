/** @file The two functions that the window gets: `call` and `listen`. They expose nothing of Electron. */
import { contextBridge, ipcRenderer } from 'electron'

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
