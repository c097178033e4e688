/** @file `npm run build:native -- --package`: the built addon as a package of its own for this platform. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ADDON, NATIVE_PACKAGE, STAMP } from '../evals/native/addon.ts'

const ROOT = join(import.meta.dirname, '..')
const RELEASE = join(ROOT, 'release')

/** Returns the path of the packed file. */
export function packageAddon(): string {
  const folder = join(RELEASE, NATIVE_PACKAGE)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  cpSync(ADDON, join(folder, 'addon.node'))
  cpSync(STAMP, join(folder, 'stamp.json'))
  cpSync(join(ROOT, 'LICENSE'), join(folder, 'LICENSE'))
  cpSync(join(ROOT, 'native', 'npm', 'README.md'), join(folder, 'README.md'))
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    version: string
  }
  const manifest = {
    name: NATIVE_PACKAGE,
    version,
    description: `Touchstone’s C++ addon for ${process.platform}-${process.arch}`,
    license: '(MIT AND MPL-2.0)',
    os: [process.platform],
    cpu: [process.arch],
    exports: { '.': './addon.node', './stamp.json': './stamp.json' },
  }
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  const words = ['pack', folder, '--pack-destination', RELEASE, '--json']
  const done = spawnSync('npm', words, { encoding: 'utf8', shell: process.platform === 'win32' })
  if (done.status !== 0) throw new Error(`npm pack failed: ${done.stderr}`)
  return join(RELEASE, (JSON.parse(done.stdout) as [{ filename: string }])[0].filename)
}
