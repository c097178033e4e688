/** @file Preferences of every window, and what pages and sessions may not do. */
import type { App, Session, WebContents, WebPreferences } from 'electron'

export const ORIGIN = 'app://touchstone'

export const WEB_PREFERENCES = {
  nodeIntegration: false,
  nodeIntegrationInWorker: false,
  nodeIntegrationInSubFrames: false,
  contextIsolation: true,
  sandbox: true,
  webSecurity: true,
  webviewTag: false,
  allowRunningInsecureContent: false,
  experimentalFeatures: false,
  navigateOnDragDrop: false,
  spellcheck: false,
} as const satisfies WebPreferences

/** No connections: the window communicates through its preload alone. A picture may be one that the page itself drew, to be saved. */
export const CSP =
  "default-src 'self'; connect-src 'none'; img-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** Applies to every page, whoever opened it. */
export function forbidPages(app: Pick<App, 'on'>): void {
  app.on('web-contents-created', (_, contents: WebContents) => {
    contents.setWindowOpenHandler(() => ({ action: 'deny' }))
    contents.on('will-navigate', (event) => event.preventDefault())
    contents.on('will-redirect', (event) => event.preventDefault())
    contents.on('will-attach-webview', (event) => event.preventDefault())
  })
}

/** No permission is granted, no request leaves, nothing is downloaded. */
export function forbidSession(
  session: Pick<
    Session,
    | 'setPermissionRequestHandler'
    | 'setPermissionCheckHandler'
    | 'setDevicePermissionHandler'
    | 'webRequest'
    | 'on'
  >,
): void {
  session.setPermissionRequestHandler((_contents, _permission, answer) => answer(false))
  session.setPermissionCheckHandler(() => false)
  session.setDevicePermissionHandler(() => false)
  session.webRequest.onBeforeRequest((details, answer) =>
    answer({
      cancel: !details.url.startsWith(`${ORIGIN}/`) && !details.url.startsWith('devtools:'),
    }),
  )
  session.on('will-download', (event) => event.preventDefault())
}

/** Whether a message comes from the top frame of our own page. */
export const isOurs = (frame: { url: string; parent: unknown } | null): boolean =>
  frame !== null && frame.parent === null && frame.url.startsWith(`${ORIGIN}/`)
