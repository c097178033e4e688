/**
 * @file Is the building still standing: who may import whom, circles, sizes, exports, registries and their fixtures.
 * The rooms and what each may import: `test/doubles/rooms.ts`. Lists of exceptions may only shrink: `test/doubles/allowed.ts`.
 */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { METHODS } from '../evals/finetune/registry.ts'
import { ARCHITECTURES } from '../evals/models/registry.ts'
import { CIRCLES, CROWDED_FOLDERS, LONG_FUNCTIONS } from './doubles/allowed.ts'
import { unusedExports } from './doubles/exports.ts'
import { longFunctions } from './doubles/functions.ts'
import {
  circlesOf,
  filesUnder,
  findCycle,
  importsOf,
  ROOT,
  textOf,
  type Import,
} from './doubles/imports.ts'
import { ENTRY, roomOf, ROOMS } from './doubles/rooms.ts'
import { readOracle } from './doubles/models/safetensors.ts'

/** Every other package has one room that hides it. */
const SHARED_PACKAGES: ReadonlySet<string> = new Set(['zod'])

const sources = filesUnder('evals/**/*.ts')
const imports = sources.flatMap((path) => importsOf(path))

/** The window: it may know the contract, and what draws it. */
const WINDOW_PACKAGES: ReadonlySet<string> = new Set([
  ...['vue', 'vue-router', 'pinia', 'reka-ui', '@tanstack/vue-virtual', 'zod'],
])
/** Electron's shell: the contract, Electron itself, and what Node brings. Its build is no part of it. */
const shellImports = filesUnder('electron/*.ts')
  .filter((path) => !path.endsWith('.config.ts'))
  .flatMap((path) => importsOf(path))

function shellObjection({ from, to }: Import): string | undefined {
  const isAllowed =
    /^(?:electron\/|evals\/contract\/|node:)/u.test(to) || to === 'electron' || to === 'zod'
  return isAllowed ? undefined : `${from} imports ${to}`
}

const windowImports = filesUnder('renderer/**/*.{ts,vue}')
  .filter((path) => !path.endsWith('vite.config.ts'))
  .flatMap((path) => importsOf(path))

/** The contract, and the drawings that the report has too. */
const WINDOW_FOLDERS = ['renderer/', 'evals/contract/', 'evals/document/charts/']

function windowObjection({ from, to }: Import): string | undefined {
  const isAllowed =
    WINDOW_FOLDERS.some((folder) => to.startsWith(folder)) || WINDOW_PACKAGES.has(to)
  return isAllowed ? undefined : `${from} imports ${to}`
}
const isOurs = (path: string) => path.startsWith('evals/')

/** Why this import may not be; undefined where it may. */
function objection({ from, to, isType }: Import): string | undefined {
  const [name, target] = [roomOf(from), isOurs(to) ? roomOf(to) : undefined]
  if (name === ENTRY) return undefined
  if (target === ENTRY) return `${from} imports the entry ${to}`
  const room = ROOMS[name]
  if (!room) return `${from} is in no room of the table`
  if (to.startsWith('node:')) return room.node ? undefined : `${from} imports ${to}`
  if (target === undefined) return room.packages?.includes(to) ? undefined : `${from} imports ${to}`
  const isAllowed =
    target === name || room.may.includes(target) || (isType && room.types?.includes(target))
  return isAllowed ? undefined : `${from} imports ${isType ? 'types of ' : ''}${to}`
}

describe('who may import whom', () => {
  test('engine and command line know nothing of each other', () => {
    const known = (name: string) => [...ROOMS[name]!.may, ...(ROOMS[name]!.types ?? [])]
    expect(known('engine')).not.toContain('cli')
    expect(known('cli')).not.toContain('engine')
  })

  test('the first page of evals/ has at most 30 names, and every room is told on it', () => {
    const names = new Set(filesUnder('evals/**/*.{ts,js,md}').map((path) => path.split('/')[1]!))
    expect(names.size).toBeLessThanOrEqual(30)
    const page = textOf('evals/README.md')
    expect(Object.keys(ROOMS).filter((name) => !page.includes(`\`${name}\``))).toEqual([])
  })

  test('every room holds a file', () => {
    const lived = new Set(sources.map(roomOf))
    expect(Object.keys(ROOMS).filter((name) => !lived.has(name))).toEqual([])
  })

  test('the table is a layering: each room names rooms before it', () => {
    const names = Object.keys(ROOMS)
    for (const [name, { may, types = [] }] of Object.entries(ROOMS)) {
      const above = [...may, ...types].filter(
        (other) => !(names.indexOf(other) < names.indexOf(name)),
      )
      expect(above, name).toEqual([])
    }
  })

  test('every import is in the table', () => {
    expect(imports.length).toBeGreaterThan(500)
    expect(imports.flatMap((each) => objection(each) ?? [])).toEqual([])
  })

  test('a planted import is seen', () => {
    const planted = (path: string, text: string) =>
      importsOf(path, text).map((each) => objection(each))
    const graph = 'evals/graph/planted.ts'
    const store = 'evals/runs/store/planted.ts'
    expect(planted(graph, `import { x } from '../models/load.ts'`)).toEqual([
      `${graph} imports evals/models/load.ts`,
    ])
    expect(planted(graph, `import 'node:fs'`)).toEqual([`${graph} imports node:fs`])
    expect(planted(graph, `await import('better-sqlite3')`)).toEqual([
      `${graph} imports better-sqlite3`,
    ])
    expect(planted(store, `import type { Sink } from '../../contract/job.ts'`)).toEqual([undefined])
    expect(planted(store, `import { type Told, runStored } from '../stored-job.ts'`)).toEqual([
      `${store} imports evals/runs/stored-job.ts`,
    ])
    expect(planted('evals/attic/planted.ts', `export * from '../errors.ts'`)).toEqual([
      'evals/attic/planted.ts is in no room of the table',
    ])
  })

  test('the window imports the contract and what draws it, nothing of the engine or of Node', () => {
    expect(windowImports.length).toBeGreaterThan(100)
    expect(windowImports.flatMap((each) => windowObjection(each) ?? [])).toEqual([])
    const planted = (text: string) =>
      importsOf('renderer/views/PlantedView.vue', `<script setup lang="ts">${text}</script>`)
    for (const other of ['../../evals/store/store.ts', 'node:fs', 'better-sqlite3']) {
      expect(planted(`import x from '${other}'`).map(windowObjection)).not.toContain(undefined)
    }
  })

  test('the shell imports the contract, Electron and Node, and nothing of the engine', () => {
    expect(shellImports.length).toBeGreaterThan(20)
    expect(shellImports.flatMap((each) => shellObjection(each) ?? [])).toEqual([])
    const planted = importsOf('electron/planted.ts', `import x from '../evals/runs/store/store.ts'`)
    expect(planted.map(shellObjection)).toEqual([
      'electron/planted.ts imports evals/runs/store/store.ts',
    ])
  })

  test('every package but zod has one room that imports it', () => {
    const owners = Object.entries(ROOMS).flatMap(([name, { packages = [] }]) =>
      packages.filter((each) => !SHARED_PACKAGES.has(each)).map((each) => [each, name] as const),
    )
    expect(owners).toHaveLength(new Set(owners.map(([each]) => each)).size)
  })

  test('package.json names the packages that are imported, and no other; what is built into the window is installed with no package', () => {
    const { dependencies, devDependencies } = JSON.parse(textOf('package.json')) as Record<
      'dependencies' | 'devDependencies',
      object
    >
    const packagesOf = (all: readonly Import[]) => [
      ...new Set(
        all.map(({ to }) => to).filter((to) => !/^(?:evals\/|renderer\/|node:)/u.test(to)),
      ),
    ]
    expect(packagesOf(imports).sort()).toEqual(Object.keys(dependencies).sort())
    const built = packagesOf(windowImports).filter((name) => !(name in dependencies))
    expect(built.filter((name) => !(name in devDependencies))).toEqual([])
  })

  test('every import leads to a file', () => {
    const isFile = (path: string) => isOurs(path) || path.startsWith('renderer/')
    const lost = [...imports, ...windowImports].filter(
      ({ to }) => isFile(to) && !existsSync(join(ROOT, to)),
    )
    expect(lost).toEqual([])
  })

  test('no file needs itself to load', () => {
    expect(findCycle(imports)).toBeUndefined()
    const edge = (from: string, to: string) => ({ from, to, isType: false, isDynamic: false })
    expect(findCycle([edge('a', 'b'), edge('b', 'c'), edge('c', 'b')])).toEqual(['b', 'c', 'b'])
  })

  test('files that know one another’s types are at most three', () => {
    const edge = (from: string, to: string) => ({ from, to, isType: true, isDynamic: false })
    const planted = [edge('a', 'b'), edge('b', 'c'), edge('c', 'd'), edge('d', 'a'), edge('d', 'e')]
    expect(circlesOf(planted)).toEqual([['a', 'b', 'c', 'd']])
    const large = circlesOf(imports).filter((circle) => circle.length > 3)
    expect(Object.fromEntries(large.map((circle) => [circle[0], circle.length]))).toEqual(CIRCLES)
  })

  test('a method’s file loads arithmetic and its own kind: no session, model or file', () => {
    const arithmetic = new Set(['graph', 'spectra', 'statistics', 'finetune'])
    const sessions = /\/finetune\/training\//
    const isArithmetic = ({ to }: Import) =>
      to === 'zod' ||
      to === 'evals/errors/touchstone-error.ts' ||
      to === 'evals/models/formats/peft-config.ts' ||
      to.startsWith('evals/models/weights/compression/') ||
      (isOurs(to) && arithmetic.has(roomOf(to)) && !sessions.test(to))
    const others = METHODS.flatMap(({ name }) =>
      importsOf(`evals/finetune/methods/${name}.ts`),
    ).filter((each) => !each.isType && !isArithmetic(each))
    expect(others).toEqual([])
  })
})

describe('the addon', () => {
  test('mathematics knows nothing of JavaScript: what includes napi.h is named as a wrapper', () => {
    const sources = filesUnder('native/src/**/*.{cc,h}')
    const isWrapper = (path: string) =>
      /(?:_wrap\.cc|\/wrap\.h|\/async\.h|\/addon\.cc)$/u.test(path)
    const wraps = (path: string) => /#include [<"](?:napi|wrap|async)\.h[>"]/u.test(textOf(path))
    expect(sources.filter(wraps)).toEqual(sources.filter(isWrapper))
    expect(sources.some((path) => !isWrapper(path))).toBe(true)
  })
})

describe('size', () => {
  const linesOf = (path: string) => textOf(path).trimEnd().split('\n').length
  const total = (paths: readonly string[]) => paths.reduce((sum, path) => sum + linesOf(path), 0)
  const longerThan = (limit: number, ...patterns: readonly string[]) =>
    filesUnder(...patterns).filter((path) => linesOf(path) > limit)

  test('no file is longer than 400 lines', () => {
    const everything = [
      'evals/**/*.{ts,js}',
      'renderer/**/*.{ts,vue,css}',
      'electron/**/*.ts',
      'test/**/*.{ts,js}',
      'native/**/*.{ts,cc,h}',
      'packaging/**/*.{ts,js}',
      '*.js',
    ]
    const built = /^renderer\/dist\//u
    expect(longerThan(400, ...everything).filter((path) => !built.test(path))).toEqual([])
  })

  test('the core has at most 900 lines, a file of operators at most 300', () => {
    expect(total(filesUnder('evals/graph/*.ts'))).toBeLessThanOrEqual(900)
    expect(longerThan(300, 'evals/graph/ops/*.ts')).toEqual([])
  })
})

describe('what is too long, too full or of no use', () => {
  const ours = [
    ...['evals/**/*.ts', 'renderer/**/*.{ts,vue}', 'electron/**/*.ts'],
    ...['native/**/*.ts', 'packaging/**/*.ts'],
  ]
  const own = (paths: readonly string[]) => paths.filter((path) => !path.includes('/dist/'))

  test('a folder has at most 25 files, but for those on the list, which may only shrink', () => {
    const everything = own(filesUnder(...ours, 'test/**/*.ts', 'docs/**/*.md'))
    const folders = Map.groupBy(everything, (path) => dirname(path))
    const crowded = [...folders].flatMap(([folder, { length }]) =>
      length > 25 ? [[folder, length] as const] : [],
    )
    expect(Object.fromEntries(crowded)).toEqual(CROWDED_FOLDERS)
  })

  test('a function has at most 40 lines, but for those on the list, which may only shrink', () => {
    const long = own(filesUnder(...ours)).flatMap((path) => longFunctions(path, textOf(path)))
    expect(long.sort()).toEqual([...LONG_FUNCTIONS].sort())
    const lines = Array.from({ length: 41 }, () => '  x()')
    expect(longFunctions('a.ts', `function f() {\n${lines.join('\n')}\n}`)).toEqual(['a.ts f'])
  })

  test('every export is imported by some other file', () => {
    const files = own(filesUnder(...ours, 'test/**/*.ts', '*.ts'))
    const spare = unusedExports(files, textOf).filter((each) => !each.startsWith('test/'))
    expect(spare).toEqual([])
    const planted = (path: string) =>
      ({
        'a.ts': 'export const used = 1\nexport const spare = 2',
        'b.ts': "import { used } from './a.ts'",
      })[path]!
    expect(unusedExports(['a.ts', 'b.ts'], planted)).toEqual(['a.ts spare'])
  })
})

describe('golden numbers', () => {
  const oracles = filesUnder('test/golden/fixtures/*/expected.safetensors')

  test.each(ARCHITECTURES.map(({ name }) => name))(
    'architecture %s has PyTorch’s logits',
    (name) => {
      const own = oracles.filter((path) => path.includes(`/${name}-`))
      expect(own.filter((path) => readOracle(join(ROOT, path)).has('logits'))).not.toEqual([])
    },
  )

  test.each(METHODS.map(({ name }) => name))(
    'method %s has PyTorch’s gradients and steps',
    (name) => {
      const tensors = oracles.flatMap((path) => [...readOracle(join(ROOT, path)).keys()])
      for (const what of ['grad', 'after5']) {
        expect(tensors.filter((tensor) => tensor.startsWith(`${name}.${what}.`))).not.toEqual([])
      }
    },
  )
})

describe('nothing is switched off', () => {
  const matching = (pattern: RegExp, ...globs: readonly string[]) =>
    filesUnder(...globs).filter((path) => pattern.test(textOf(path)))

  test('no test is skipped, singled out or left to be written', () => {
    const pattern =
      /\b(?:it|test|describe|suite)(?:\.\w+)*\.(?:skip|only|todo|fails)\b|\bx(?:it|describe)\(/
    expect(pattern.test(['test', 'skip("x", f)'].join('.'))).toBe(true)
    expect(matching(pattern, 'test/**/*.ts')).toEqual([])
  })

  test('no rule of the linter or the compiler is off for a whole file', () => {
    const pattern = /\/\*\s*eslint-disable(?!-)|@ts-nocheck\b(?!\\)/
    expect(pattern.test(['/* eslint', 'disable */'].join('-'))).toBe(true)
    expect(matching(pattern, 'evals/**/*.{ts,js}', 'test/**/*.{ts,js}', '*.js')).toEqual([])
  })
})
