/** @file `npm run build:native`: one compiler call, and one sentence with its remedy where something is missing. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import {
  ADDON,
  SOURCES,
  sourcesDigest,
  STAMP,
  thisProcessor,
  type Stamp,
} from '../evals/native/addon.ts'

const MODULES = join(import.meta.dirname, '..', 'node_modules')
const LINKING: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  linux: ['-shared'],
  darwin: ['-bundle', '-undefined', 'dynamic_lookup'],
}
/** Where package managers put header-only libraries; CPLUS_INCLUDE_PATH names others. */
const PREFIXES = ['/usr/include', '/usr/local/include', '/opt/homebrew/include']
const LIBRARIES = ['eigen3', 'onnxruntime']

/** What is wrong, and what to do about it. */
export interface Obstacle {
  readonly problem: string
  readonly remedy: string
}

const PACKAGES = [
  { header: /^Eigen\//, what: 'Eigen’s headers are', debian: 'libeigen3-dev' },
  { header: /^onnxruntime_/, what: 'ONNX Runtime’s headers are', debian: 'libonnxruntime-dev' },
]

/** Why the compiler failed, from what it wrote. */
export function obstacleOf(told: string): Obstacle {
  const header = /fatal error: '?(?<header>[\w./+-]+)'?(?:: No such file| file not found)/.exec(
    told,
  )?.groups!['header']
  const known = PACKAGES.find((each) => header !== undefined && each.header.test(header))
  if (known) {
    return {
      problem: `The native path was not built: ${known.what} missing.`,
      remedy: `On Debian or Ubuntu: apt-get install ${known.debian}. Elsewhere, name their folder in CPLUS_INCLUDE_PATH. Touchstone works without, more slowly.`,
    }
  }
  if (header !== undefined) {
    return {
      problem: `The native path was not built: the header ${header} is missing.`,
      remedy: 'Run npm ci --include=dev --include=optional, which brings Node’s headers.',
    }
  }
  return {
    problem: 'The native path was not built: the compiler’s own message is above.',
    remedy: 'It needs C++17, as g++ 9 and clang 10 have it; CXX names another compiler.',
  }
}

const noCompiler = (compiler: string): Obstacle => ({
  problem: `The native path was not built: there is no C++ compiler called ${compiler}.`,
  remedy:
    'On Debian or Ubuntu: apt-get install g++. CXX names another one. Touchstone works without, more slowly.',
})

const noPlatform: Obstacle = {
  problem: `The native path was not built: it knows Linux and macOS, not ${process.platform}.`,
  remedy: 'Nothing is to be done; Touchstone works without it, more slowly.',
}

/** The packaged Node's headers, or those beside the Node that runs this. */
function nodeHeaders(): string {
  return join(dirname(dirname(process.execPath)), 'include', 'node')
}

function compilerArguments(linking: readonly string[], output: string): string[] {
  const folders = PREFIXES.flatMap((prefix) => LIBRARIES.map((name) => join(prefix, name)))
  const sources = readdirSync(SOURCES).filter((name) => name.endsWith('.cc'))
  return [
    ...linking,
    ...['-std=c++17', '-O3', '-march=native', '-fPIC', '-pthread', '-DNDEBUG', '-Wall', '-Wextra'],
    // The optimiser gives TypeScript's bits: no fused multiply-adds but those that Eigen asks for.
    ...['-ffp-contract=off', '-fno-math-errno'],
    ...['-DNAPI_VERSION=8', '-DNODE_ADDON_API_CPP_EXCEPTIONS'],
    `-I${nodeHeaders()}`,
    `-I${join(MODULES, 'node-addon-api')}`,
    ...folders.filter((path) => existsSync(path)).flatMap((path) => ['-isystem', path]),
    ...sources.map((name) => join(SOURCES, name)),
    ...['-o', output],
  ]
}

/** Undefined where the addon now lies at its place, whole. */
export function build(compiler = process.env['CXX'] || 'c++'): Obstacle | undefined {
  const linking = LINKING[process.platform]
  if (!linking) return noPlatform
  mkdirSync(dirname(ADDON), { recursive: true })
  const output = `${ADDON}.${process.pid}.tmp`
  const stamp: Stamp = { sources: sourcesDigest()!, processor: thisProcessor() }
  try {
    const done = spawnSync(compiler, compilerArguments(linking, output), { encoding: 'utf8' })
    if (done.error) return noCompiler(compiler)
    process.stderr.write(done.stderr)
    if (done.status !== 0) return obstacleOf(done.stderr)
    rmSync(STAMP, { force: true })
    // A new file: a process that has the old one open goes on with it.
    renameSync(output, ADDON)
    writeFileSync(STAMP, `${JSON.stringify(stamp)}\n`)
    return undefined
  } finally {
    rmSync(output, { force: true })
  }
}

if (import.meta.main) {
  const obstacle = build()
  if (obstacle) {
    process.stderr.write(`${obstacle.problem}\n${obstacle.remedy}\n`)
    process.exitCode = 1
  } else {
    process.stdout.write(`Built native/build/${process.platform}-${process.arch}.node.\n`)
  }
}
