/** @file The desktop shell: one window and one engine. Electron's API is a parameter, for tests. */
import type { BrowserWindow as Window } from 'electron'
import type * as Electron from 'electron'
import { join } from 'node:path'
import { answerDesktop } from './desktop.ts'
import { createEngineHost, type EngineHost } from './engine-host.ts'
import { createHandles } from './handles.ts'
import { filesOf, respond, SCHEME } from './protocol.ts'
import { hearOpened, type Opened } from './opened.ts'
import { FEED, relayCalls, relayDrops } from './relay.ts'
import { forbidPages, forbidSession, ORIGIN, WEB_PREFERENCES } from './security.ts'
import { keepWindowState, LEAST, windowState } from './window-state.ts'

interface Places {
  /** The built window. */
  readonly renderer: string
  readonly preload: string
  /** The script of the engine's process. */
  readonly engine: string
  /** The command line that started it. */
  readonly words?: readonly string[]
}

export type ElectronApi = Pick<
  typeof Electron,
  | 'app'
  | 'BrowserWindow'
  | 'crashReporter'
  | 'dialog'
  | 'ipcMain'
  | 'Menu'
  | 'Notification'
  | 'protocol'
  | 'screen'
  | 'session'
  | 'shell'
  | 'utilityProcess'
>

export async function startShell(electron: ElectronApi, places: Places): Promise<void> {
  const { app, protocol, session, utilityProcess } = electron
  if (!app.requestSingleInstanceLock()) return app.quit()
  const opened = hearOpened(app, places.words ?? [])
  // Dumps stay in the user's folder.
  electron.crashReporter.start({ uploadToServer: false })
  protocol.registerSchemesAsPrivileged([SCHEME])
  app.enableSandbox()
  forbidPages(app)
  await app.whenReady()
  forbidSession(session.defaultSession)
  setMenu(electron)
  let window: Window | undefined
  const files = filesOf(places.renderer)
  protocol.handle('app', ({ url }) => respond(files, url))

  const folder = join(app.getPath('userData'), 'workbench')
  const host = createEngineHost(
    () => utilityProcess.fork(places.engine, [folder], { serviceName: 'Touchstone engine' }),
    (message) => window?.webContents.send(FEED, message),
  )
  answerCalls(electron, host, opened)

  const kept = join(app.getPath('userData'), 'window.json')
  const open = () => {
    const made = openWindow(electron, places.preload, kept)
    window = made
    made.on('close', () => keepWindowState(kept, made))
    made.on('closed', () => (window = undefined))
  }
  app.on('open-file', () => window?.focus())
  app.on('second-instance', () => (window ? window.focus() : open()))
  app.on('activate', () => (window ? window.focus() : open()))
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit()
  })
  app.on('will-quit', () => host.close())
  open()
}

/** The shell answers what only a desktop can; the engine the rest, with paths in place of handles. */
function answerCalls(electron: ElectronApi, host: Pick<EngineHost, 'ask'>, opened: Opened): void {
  const handles = createHandles()
  const { dialog, ipcMain, shell, Notification } = electron
  const notify = (options: Electron.NotificationConstructorOptions) =>
    new Notification(options).show()
  relayDrops(ipcMain, opened.add)
  relayCalls(ipcMain, async (ask) => {
    const parts = { dialog, shell, notify, handles, takeOpened: opened.take }
    const own = await answerDesktop(ask, parts)
    return own ?? host.ask({ ...ask, input: handles.resolve(ask.input) })
  })
}

/** Standard items in the system's language; no item that opens a page or developer tools. */
function setMenu({ Menu }: ElectronApi): void {
  const roles = ['fileMenu', 'editMenu', 'windowMenu'] as const
  const own = process.platform === 'darwin' ? [{ role: 'appMenu' as const }] : []
  const view = ['resetZoom', 'zoomIn', 'zoomOut', 'togglefullscreen'] as const
  const [file, edit, windows] = roles.map((role) => ({ role }))
  const menu = [...own, file!, edit!, { label: 'View', submenu: view.map((role) => ({ role })) }]
  Menu.setApplicationMenu(Menu.buildFromTemplate([...menu, windows!]))
}

function openWindow({ BrowserWindow, screen }: ElectronApi, preload: string, kept: string): Window {
  const { isMaximised, ...bounds } = windowState(kept, screen)
  const window = new BrowserWindow({
    ...bounds,
    minWidth: LEAST.width,
    minHeight: LEAST.height,
    show: false,
    autoHideMenuBar: true,
    webPreferences: { ...WEB_PREFERENCES, preload },
  })
  window.once('ready-to-show', () => (isMaximised ? window.maximize() : window.show()))
  void window.loadURL(`${ORIGIN}/index.html`)
  return window
}
