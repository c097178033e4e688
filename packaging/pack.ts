/** @file `npm run pack`: builds the package that is installed, and makes one file of it. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { billOfMaterials } from './materials.ts'
import { noticesText } from './notices.ts'
import { manifest, ROOT } from './parts.ts'
import { writeSources } from './sources.ts'

const RELEASE = join(ROOT, 'release')
const FOLDER = join(RELEASE, 'package')
/** Bytes of the packed file, without the judge of sentences. */
const LARGEST = 9_000_000
const JUDGE = join(FOLDER, 'evals', 'judges', 'semantic', 'weights.bin')

/** Touchstone's name on a registry is not claimed: platform packages are optional peers, which npm never fetches by itself. */
function packageJson(): string {
  const { name, version, description, license, engines, bin, ...rest } = manifest()
  const { dependencies, optionalDependencies } = rest
  const native = 'touchstone-native-linux-x64'
  return `${JSON.stringify(
    {
      ...{ name, version, description, license, type: 'module', engines, bin },
      exports: {
        '.': { types: './evals/bin/api.d.ts', default: './evals/bin/api.js' },
        './package.json': './package.json',
      },
      scripts: { preinstall: 'node before-install.js' },
      dependencies,
      optionalDependencies,
      peerDependencies: { [native]: version },
      peerDependenciesMeta: { [native]: { optional: true } },
    },
    null,
    2,
  )}\n`
}

/** Digest of every file but source maps, which `touchstone check-install` holds the installed ones against. */
function fileList(): string {
  const paths = globSync('**/*', { cwd: FOLDER })
    .filter((path) => !path.endsWith('.map') && statSync(join(FOLDER, path)).isFile())
    .map((path) => path.replaceAll('\\', '/'))
    .sort()
  const digest = (path: string) =>
    createHash('sha256')
      .update(readFileSync(join(FOLDER, path)))
      .digest('hex')
  return `${JSON.stringify(Object.fromEntries(paths.map((path) => [path, digest(path)])), null, 1)}\n`
}

function build(): void {
  rmSync(FOLDER, { recursive: true, force: true })
  mkdirSync(FOLDER, { recursive: true })
  const { name, version } = manifest()
  const write = (path: string, text: string) => writeFileSync(join(FOLDER, path), text)
  const copy = (from: string, to = from) =>
    cpSync(join(ROOT, from), join(FOLDER, to), { recursive: true })
  write('package.json', packageJson())
  write('THIRD-PARTY.md', noticesText())
  write('sbom.cdx.json', billOfMaterials(name, version))
  for (const path of ['LICENSE', 'README.md', 'CHANGELOG.md', 'renderer/dist']) copy(path)
  copy('packaging/install/before-install.js', 'before-install.js')
  writeSources(FOLDER)
  write('files.json', fileList())
}

function pack(): { path: string; bytes: number } {
  const words = ['pack', FOLDER, '--pack-destination', RELEASE, '--json', '--ignore-scripts']
  const options = { cwd: ROOT, encoding: 'utf8', maxBuffer: 2 ** 26 } as const
  const done = spawnSync('npm', words, { ...options, shell: process.platform === 'win32' })
  if (done.status !== 0) throw new Error(`npm pack failed: ${done.stderr}`)
  const [{ filename }] = JSON.parse(done.stdout) as [{ filename: string }]
  const path = join(RELEASE, filename)
  return { path, bytes: statSync(path).size }
}

build()
const { path, bytes } = pack()
const judge = gzipSync(readFileSync(JUDGE)).length
const megabytes = (count: number) => `${(count / 1e6).toFixed(2)} MB`
process.stdout.write(`${path}\n${megabytes(bytes)} packed, ${megabytes(judge)} of it the judge\n`)
if (bytes - judge > LARGEST) {
  process.stderr.write(`Without the judge it is larger than ${megabytes(LARGEST)}.\n`)
  process.exitCode = 1
}
