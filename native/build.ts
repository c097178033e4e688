/** @file `npm run build:native`: builds one binary for all processors of this architecture; names what is missing, with a remedy. */
import { spawn } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { ADDON, SOURCES, sourcesDigest, STAMP, type Stamp } from '../evals/native/addon.ts'
import { packageAddon } from './package.ts'

const MODULES = join(import.meta.dirname, '..', 'node_modules')
const LINKING: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  // The binary depends on the C library alone.
  linux: ['-shared', '-static-libstdc++', '-static-libgcc', '-pthread'],
  darwin: ['-bundle', '-undefined', 'dynamic_lookup'],
}
/** Where package managers put header-only libraries; CPLUS_INCLUDE_PATH names others. */
const PREFIXES = ['/usr/include', '/usr/local/include', '/opt/homebrew/include']
const LIBRARIES = ['eigen3', 'onnxruntime']

/** A problem and its remedy. */
interface Obstacle {
  readonly problem: string
  readonly remedy: string
}

const PACKAGES = [
  { header: /^Eigen\//, what: 'Eigen’s headers are', debian: 'libeigen3-dev' },
  { header: /^onnxruntime_/, what: 'ONNX Runtime’s headers are', debian: 'libonnxruntime-dev' },
]

/** Why the compiler failed, from its messages. */
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

interface Variant {
  readonly name: string
  readonly flags: readonly string[]
}

/** Sets of instructions that src/kernels is compiled for, beside each other in one binary; src/kernels.cc chooses. */
const VARIANTS: Readonly<Partial<Record<NodeJS.Architecture, readonly Variant[]>>> = {
  x64: [
    // First, because the linker keeps the first copy of shared functions, and every processor can run this one.
    { name: 'baseline', flags: ['-march=x86-64'] },
    { name: 'avx2', flags: ['-march=x86-64', '-mavx2', '-mfma', '-mf16c'] },
    {
      name: 'avx512',
      flags: [
        ...['-march=x86-64', '-mavx2', '-mfma', '-mf16c'],
        ...['-mavx512f', '-mavx512dq', '-mavx512bw', '-mavx512vl'],
      ],
    },
  ],
  arm64: [{ name: 'neon', flags: [] }],
}

const ccIn = (folder: string) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.cc'))
    .map((name) => join(folder, name))

function commonFlags(): string[] {
  const folders = PREFIXES.flatMap((prefix) => LIBRARIES.map((name) => join(prefix, name)))
  return [
    ...['-std=c++17', '-O3', '-fPIC', '-pthread', '-DNDEBUG', '-Wall', '-Wextra'],
    // The optimiser must give TypeScript's bits: no fused multiply-adds except Eigen's explicit ones.
    ...['-ffp-contract=off', '-fno-math-errno'],
    ...['-DNAPI_VERSION=8', '-DNODE_ADDON_API_CPP_EXCEPTIONS'],
    `-I${nodeHeaders()}`,
    `-I${join(MODULES, 'node-addon-api')}`,
    ...folders.filter((path) => existsSync(path)).flatMap((path) => ['-isystem', path]),
  ]
}

/** The compiler's arguments for each object, in link order. */
function compilations(variants: readonly Variant[], folder: string) {
  const common = ccIn(SOURCES).map((source) => ({
    args: ['-c', source],
    object: join(folder, `${basename(source)}.o`),
  }))
  const kernels = variants.flatMap(({ name, flags }) =>
    ccIn(join(SOURCES, 'kernels')).map((source) => ({
      args: [...flags, `-DTOUCHSTONE_VARIANT=${name}`, `-DEigen=Eigen_${name}`, '-c', source],
      object: join(folder, `${basename(source)}.${name}.o`),
    })),
  )
  return [...common, ...kernels]
}

type Ran = { readonly status: number | null; readonly told: string }

/** Rejects where the program is missing. */
const run = (command: string, args: readonly string[]): Promise<Ran> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
    let told = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (told += text))
    child.on('error', reject)
    child.on('close', (status) => resolve({ status, told }))
  })

/** The compiler's messages where it failed; undefined where it wrote `output`. */
async function compileAndLink(compiler: string, platform: Platform, output: string) {
  const folder = mkdtempSync(join(tmpdir(), 'touchstone-native-'))
  try {
    const all = compilations(platform.variants, folder)
    const waiting = [...all]
    const failures: string[] = []
    const lane = async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const { status, told } = await run(compiler, [
          ...commonFlags(),
          ...next.args,
          ...['-o', next.object],
        ])
        process.stderr.write(told)
        if (status !== 0) failures.push(told)
        if (failures.length > 0) return
      }
    }
    await Promise.all(Array.from({ length: availableParallelism() }, lane))
    if (failures.length > 0) return failures[0]!
    const objects = all.map(({ object }) => object)
    const linked = await run(compiler, [...platform.linking, ...objects, '-o', output])
    process.stderr.write(linked.told)
    return linked.status === 0 ? undefined : linked.told
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Platform {
  readonly linking: readonly string[]
  readonly variants: readonly Variant[]
}

function thisPlatform(): Platform | undefined {
  const linking = LINKING[process.platform]
  const variants = VARIANTS[process.arch]
  return linking && variants && { linking, variants }
}

/** Undefined where the addon was built and installed. */
async function build(compiler = process.env['CXX'] || 'c++'): Promise<Obstacle | undefined> {
  const platform = thisPlatform()
  if (!platform) return noPlatform
  mkdirSync(dirname(ADDON), { recursive: true })
  const output = `${ADDON}.${process.pid}.tmp`
  const stamp: Stamp = { sources: sourcesDigest()! }
  try {
    const told = await compileAndLink(compiler, platform, output)
    if (told !== undefined) return obstacleOf(told)
    rmSync(STAMP, { force: true })
    // A new file, so that a process with the old one open is not disturbed.
    renameSync(output, ADDON)
    writeFileSync(STAMP, `${JSON.stringify(stamp)}\n`)
    return undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall?.startsWith('spawn')) return noCompiler(compiler)
    throw error
  } finally {
    rmSync(output, { force: true })
  }
}

if (import.meta.main) {
  const obstacle = await build()
  if (obstacle) {
    process.stderr.write(`${obstacle.problem}\n${obstacle.remedy}\n`)
    process.exitCode = 1
  } else {
    process.stdout.write(`Built native/prebuilds/${process.platform}-${process.arch}.node.\n`)
    if (process.argv.includes('--package')) process.stdout.write(`${packageAddon()}\n`)
  }
}
