/** @file What the browser keeps where it keeps other files: as if a link to it were clicked. */

export function download(address: string, name = ''): void {
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
}
