/** @file Where the desktop begins: Electron's own API, and where the built parts lie. */
import * as electron from 'electron'
import { join } from 'node:path'
import { startShell } from './shell.ts'

// Before any process is started: the engine's inherit it, and ONNX Runtime then sends nothing.
process.env['ORT_DISABLE_TELEMETRY'] = '1'

const root = electron.app.getAppPath()

void startShell(electron, {
  renderer: join(root, 'renderer', 'dist'),
  preload: join(root, '.vite', 'build', 'preload.cjs'),
  // Not in the archive: the engine's own processes are run by a Node that cannot read archives.
  engine: join(
    root.replace(/app\.asar$/u, 'app.asar.unpacked'),
    ...['evals', 'hosts', 'utility-process.ts'],
  ),
})
