/** @file The desktop shell: one window and one engine. Electron's API is a parameter, for tests. */
import type { BrowserWindow as Window } from 'electron'
import type * as Electron from 'electron'
import { join } from 'node:path'
import { answerDesktop } from './desktop.ts'
import { createEngineHost } from './engine-host.ts'
import { createHandles } from './handles.ts'
import { filesOf, respond, SCHEME } from './protocol.ts'
import { FEED, relayCalls } from './relay.ts'
import { forbidPages, forbidSession, ORIGIN, WEB_PREFERENCES } from './security.ts'

interface Places {
  /** The built window. */
  readonly renderer: string
  readonly preload: string
  /** The script of the engine's process. */
  readonly engine: string
}

export type ElectronApi = Pick<
  typeof Electron,
  | 'app'
  | 'BrowserWindow'
  | 'dialog'
  | 'ipcMain'
  | 'Notification'
  | 'protocol'
  | 'session'
  | 'shell'
  | 'utilityProcess'
>

export async function startShell(electron: ElectronApi, places: Places): Promise<void> {
  const { app, protocol, session, ipcMain, utilityProcess } = electron
  if (!app.requestSingleInstanceLock()) return app.quit()
  protocol.registerSchemesAsPrivileged([SCHEME])
  app.enableSandbox()
  forbidPages(app)
  await app.whenReady()
  forbidSession(session.defaultSession)
  const files = filesOf(places.renderer)
  protocol.handle('app', ({ url }) => respond(files, url))

  let window: Window | undefined
  const folder = join(app.getPath('userData'), 'workbench')
  const host = createEngineHost(
    () => utilityProcess.fork(places.engine, [folder], { serviceName: 'Touchstone engine' }),
    (message) => window?.webContents.send(FEED, message),
  )
  const handles = createHandles()
  const { dialog, shell, Notification } = electron
  const notify = (options: Electron.NotificationConstructorOptions) =>
    new Notification(options).show()
  relayCalls(ipcMain, async (ask) => {
    const own = await answerDesktop(ask, { dialog, shell, notify, handles })
    return own ?? host.ask({ ...ask, input: handles.resolve(ask.input) })
  })

  const open = () => {
    window = openWindow(electron, places.preload)
    window.on('closed', () => (window = undefined))
  }
  app.on('second-instance', () => (window ? window.focus() : open()))
  app.on('activate', () => (window ? window.focus() : open()))
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit()
  })
  app.on('will-quit', () => host.close())
  open()
}

function openWindow({ BrowserWindow }: ElectronApi, preload: string): Window {
  const window = new BrowserWindow({
    width: 1280,
    height: 860,
    minWidth: 800,
    minHeight: 560,
    show: false,
    autoHideMenuBar: true,
    webPreferences: { ...WEB_PREFERENCES, preload },
  })
  window.once('ready-to-show', () => window.show())
  void window.loadURL(`${ORIGIN}/index.html`)
  return window
}
