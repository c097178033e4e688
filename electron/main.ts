/** @file Entry of the desktop application: starts the shell with Electron's API and the paths of the built parts. */
import * as electron from 'electron'
import { join } from 'node:path'
import { startShell } from './shell.ts'

// Before any process is started: the engine's inherit it, and ONNX Runtime then sends nothing.
process.env['ORT_DISABLE_TELEMETRY'] = '1'

const root = electron.app.getAppPath()
const isPackaged = root.endsWith('app.asar')

void startShell(electron, {
  renderer: join(root, 'renderer', 'dist'),
  preload: join(root, '.vite', 'build', 'preload.cjs'),
  // Outside the archive, because the engine's child processes run on a Node that cannot read archives.
  engine: isPackaged
    ? join(`${root}.unpacked`, 'evals/hosts/utility-process.js')
    : join(root, 'evals/hosts/utility-process.ts'),
  words: process.argv,
})
