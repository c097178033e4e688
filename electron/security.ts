/** @file What every window is made with, and what every page is forbidden. */
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

/** Nothing is fetched, by anybody: the window speaks through its preload alone. */
export const CSP =
  "default-src 'self'; connect-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** For every page that ever comes to be, whoever made it. */
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

/** Whether a message comes from the top of our own page. */
export const isOurs = (frame: { url: string; parent: unknown } | null): boolean =>
  frame !== null && frame.parent === null && frame.url.startsWith(`${ORIGIN}/`)
