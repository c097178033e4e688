/** @file The packages that a Touchstone is made of, from `package.json` and `package-lock.json`. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export const ROOT = join(import.meta.dirname, '..')

interface Locked {
  readonly version: string
  readonly license?: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

interface Manifest {
  readonly name: string
  readonly version: string
  readonly description: string
  readonly license: string
  readonly engines: Readonly<Record<string, string>>
  readonly bin: Readonly<Record<string, string>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
  readonly optionalDependencies: Readonly<Record<string, string>>
}

interface Part {
  readonly name: string
  readonly version: string
  /** SPDX, as the package states it. */
  readonly license: string
  /** Relative to the root: `node_modules/vue`. */
  readonly folder: string
}

const readJson = (path: string): unknown => JSON.parse(readFileSync(join(ROOT, path), 'utf8'))

export const manifest = () => readJson('package.json') as Manifest
const locked = () =>
  (readJson('package-lock.json') as { packages: Readonly<Record<string, Locked>> }).packages

/** Installed beside Touchstone by npm. */
export function installedParts(): Part[] {
  const { dependencies, optionalDependencies } = manifest()
  return closure([...Object.keys(dependencies), ...Object.keys(optionalDependencies)])
}

interface Built extends Omit<Part, 'folder'> {
  readonly text: string
}

/** Packages whose code is in the built window, with the text of their licences: the bundler wrote them beside it. */
export function builtParts(): Built[] {
  const listed = readJson('renderer/dist/licences.json') as (Omit<Built, 'license'> & {
    identifier: string
  })[]
  return listed.map(({ identifier, ...part }) => ({ ...part, license: identifier }))
}

/** These packages and all that they need, by folder. */
function closure(names: readonly string[]): Part[] {
  const packages = locked()
  const found = new Map<string, Part>()
  const visit = (from: string, wanted: readonly string[]): void => {
    for (const name of wanted) {
      const folder = folderOf(packages, from, name)
      // A peer or an optional package that the lockfile left out.
      if (folder === undefined || found.has(folder)) continue
      const { version, license = 'none', dependencies, optionalDependencies } = packages[folder]!
      found.set(folder, { name, version, license, folder })
      visit(folder, Object.keys({ ...dependencies, ...optionalDependencies }))
    }
  }
  visit('', names)
  return [...found.values()].sort((a, b) => (a.folder < b.folder ? -1 : 1))
}

/** The folder that Node takes `name` from in `from`: the nearest `node_modules` upwards. */
function folderOf(packages: Readonly<Record<string, Locked>>, from: string, name: string) {
  const nested = `${from}/node_modules/${name}`.replace(/^\//u, '')
  if (nested in packages) return nested
  const above = from.lastIndexOf('/node_modules/')
  if (from === '') return undefined
  return folderOf(packages, above < 0 ? '' : from.slice(0, above), name)
}
