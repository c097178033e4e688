/** @file Electron's API as far as the shell uses it. It fails on what a window must not be, and remembers what was registered. */
import type { ElectronApi } from '../../../electron/shell.ts'

type Handler = (...words: unknown[]) => unknown

/** Options that must stand exactly so on every window. */
const REQUIRED = {
  nodeIntegration: false,
  nodeIntegrationInWorker: false,
  nodeIntegrationInSubFrames: false,
  contextIsolation: true,
  sandbox: true,
  webSecurity: true,
  webviewTag: false,
  allowRunningInsecureContent: false,
}

class Emitter {
  readonly handlers = new Map<string, Handler[]>()
  on(name: string, handler: Handler) {
    this.handlers.set(name, [...(this.handlers.get(name) ?? []), handler])
    return this
  }
  once(name: string, handler: Handler) {
    return this.on(name, handler)
  }
  emit(name: string, ...words: unknown[]) {
    for (const handler of this.handlers.get(name) ?? []) handler(...words)
  }
}

export class DoubleContents extends Emitter {
  opens: Handler | undefined
  readonly sent: unknown[][] = []
  setWindowOpenHandler(handler: Handler) {
    this.opens = handler
  }
  send(...words: unknown[]) {
    this.sent.push(words)
  }
}

class DoubleProcess extends Emitter {
  readonly posted: unknown[] = []
  isKilled = false
  postMessage(message: unknown) {
    this.posted.push(message)
  }
  kill() {
    this.isKilled = true
    return true
  }
}

interface DoubleOptions {
  /** Whether no other one runs. */
  readonly isFirst?: boolean
  readonly picked?: readonly string[]
  readonly userData?: string
}

export function doubleElectron({
  isFirst = true,
  picked = ['/home/ada/model.gguf'],
  userData = '/home/ada/.config/touchstone',
}: DoubleOptions = {}) {
  const app = Object.assign(new Emitter(), {
    quits: 0,
    isPackaged: true,
    isSandboxed: false,
    requestSingleInstanceLock: () => isFirst,
    whenReady: () => Promise.resolve(),
    getPath: () => userData,
    enableSandbox: () => void (app.isSandboxed = true),
    quit: () => void app.quits++,
  })
  const windows: DoubleWindow[] = []
  class DoubleWindow extends Emitter {
    readonly webContents = new DoubleContents()
    readonly loaded: string[] = []
    readonly options: { webPreferences?: Record<string, unknown> }
    constructor(options: { webPreferences?: Record<string, unknown> }) {
      super()
      for (const [name, value] of Object.entries(REQUIRED)) {
        if (options.webPreferences?.[name] !== value) throw new Error(`insecure: ${name}`)
      }
      this.options = options
      windows.push(this)
      app.emit('web-contents-created', {}, this.webContents)
    }
    loadURL(url: string) {
      if (!url.startsWith('app://')) throw new Error(`insecure: ${url}`)
      this.loaded.push(url)
      return Promise.resolve()
    }
    isShown = false
    isLarge = false
    bounds = { x: 10, y: 20, width: 1000, height: 700 }
    show() {
      this.isShown = true
    }
    maximize() {
      this.isLarge = true
    }
    isMaximized() {
      return this.isLarge
    }
    getNormalBounds() {
      return this.bounds
    }
    focus() {}
  }
  const session = Object.assign(new Emitter(), {
    permission: undefined as Handler | undefined,
    check: undefined as Handler | undefined,
    device: undefined as Handler | undefined,
    request: undefined as Handler | undefined,
    setPermissionRequestHandler: (handler: Handler) => void (session.permission = handler),
    setPermissionCheckHandler: (handler: Handler) => void (session.check = handler),
    setDevicePermissionHandler: (handler: Handler) => void (session.device = handler),
    webRequest: { onBeforeRequest: (handler: Handler) => void (session.request = handler) },
  })
  const ipc = new Map<string, Handler>()
  const protocols = new Map<string, (request: { url: string }) => Response>()
  const engines: DoubleProcess[] = []
  const told: unknown[] = []
  const started: unknown[] = []
  const menus: unknown[] = []
  const api = {
    app,
    crashReporter: { start: (options: unknown) => void started.push(options) },
    Menu: {
      buildFromTemplate: (template: unknown) => template,
      setApplicationMenu: (menu: unknown) => void menus.push(menu),
    },
    screen: {
      getAllDisplays: () => [{ workArea: { x: 0, y: 0, width: 1920, height: 1080 } }],
    },
    BrowserWindow: DoubleWindow,
    session: { defaultSession: session },
    ipcMain: { handle: (channel: string, handler: Handler) => void ipc.set(channel, handler) },
    protocol: {
      registerSchemesAsPrivileged: () => undefined,
      handle: (name: string, handler: (request: { url: string }) => Response) =>
        void protocols.set(name, handler),
    },
    utilityProcess: {
      fork: () => {
        const engine = new DoubleProcess()
        engines.push(engine)
        return engine
      },
    },
    dialog: {
      showOpenDialog: () => Promise.resolve({ canceled: picked.length === 0, filePaths: picked }),
    },
    shell: { showItemInFolder: (path: string) => void told.push(path) },
    Notification: class {
      readonly options: unknown
      constructor(options: unknown) {
        this.options = options
      }
      show() {
        told.push(this.options)
      }
    },
  }
  return {
    api: api as unknown as ElectronApi,
    app,
    session,
    windows,
    ipc,
    protocols,
    engines,
    told,
    started,
    menus,
  }
}

export type DoubleElectron = ReturnType<typeof doubleElectron>
