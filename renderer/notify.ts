/** @file A word of the desktop's, or of the browser's where the person allowed it, when a job ends. */
import { isDesktop, transport } from './client.ts'

/** The browser asks the person; the desktop needs no leave. */
export async function mayNotify(): Promise<boolean> {
  if (isDesktop) return true
  if (!('Notification' in window)) return false
  return (await Notification.requestPermission()) === 'granted'
}

/** Whether it would be shown if it were sent now. */
export const canNotify = (): boolean =>
  isDesktop || ('Notification' in window && Notification.permission === 'granted')

export function notify(title: string, text: string): void {
  if (!canNotify()) return
  if (isDesktop) void transport.call('desktop.notify', { title: title.slice(0, 100), text })
  else new Notification(title, { body: text })
}
