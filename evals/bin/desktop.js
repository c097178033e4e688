/** @file `npm start` and `npm run make`: the desktop, where Electron's own program is there; one sentence where it is not. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root, runNode } from './launcher.js'

const [action] = process.argv.slice(2)
const electron = join(root, 'node_modules', 'electron')
const named = join(electron, 'path.txt')
const program = existsSync(named) && join(electron, 'dist', readFileSync(named, 'utf8').trim())

if (!program || !existsSync(program)) {
  process.stderr.write(
    'Electron’s own program is missing here (npx install-electron fetches it), so there is no desktop; touchstone serve shows the same window in a browser.\n',
  )
  process.exit(1)
}
if (action === 'start') {
  process.exitCode = await runNode([join(electron, 'cli.js'), root], { cwd: root })
} else if (action === 'make') {
  const forge = join(root, 'node_modules', '@electron-forge', 'cli', 'dist', 'electron-forge.js')
  process.exitCode = await runNode([forge, 'make'], { cwd: root })
}
