/** @file A notification of the desktop or, if allowed, of the browser when a job ends. */
import { isDesktop, transport } from './client.ts'

/** The browser asks for permission; the desktop needs none. */
export async function mayNotify(): Promise<boolean> {
  if (isDesktop) return true
  if (!('Notification' in window)) return false
  return (await Notification.requestPermission()) === 'granted'
}

/** Whether a notification would be shown now. */
export const canNotify = (): boolean =>
  isDesktop || ('Notification' in window && Notification.permission === 'granted')

export function notify(title: string, text: string): void {
  if (!canNotify()) return
  if (isDesktop) void transport.call('desktop.notify', { title: title.slice(0, 100), text })
  else new Notification(title, { body: text })
}
