/** @file The checks of `check-install`: whether what is installed is what was packed, and whether it evaluates a model. */
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { promisify } from 'node:util'
import { sha256OfFile } from '../../files/digest.ts'
import type { Check } from './checks.ts'

const ROOT = join(import.meta.dirname, '..', '..', '..')
/** The digests that the package brings; a clone has none. */
const LIST = join(ROOT, 'files.json')
const NAMED = 3

const ok = (name: string, detail: string): Check => ({ name, status: 'ok', detail, remedy: null })
const fail = (name: string, detail: string, remedy: string): Check => ({
  name,
  status: 'fail',
  detail,
  remedy,
})
const AGAIN = 'Install Touchstone again.'

const readJson = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'))

/** `root`: the folder that holds the files of `list`, a table of SHA-256 by path. */
export async function checkFiles(root = ROOT, list = LIST): Promise<Check> {
  if (!existsSync(list)) return ok('files', 'a clone, which git checks')
  const digests = Object.entries(readJson(list) as Record<string, string>)
  const wrong: string[] = []
  for (const [path, digest] of digests) {
    const found = await sha256OfFile(join(root, path)).catch(() => undefined)
    if (found !== digest) wrong.push(path)
  }
  if (wrong.length === 0) return ok('files', `all ${digests.length} are as packed`)
  const some = wrong.slice(0, NAMED).join(', ')
  return fail('files', `${wrong.length} missing or changed: ${some}`, AGAIN)
}

/** Whether npm gave every package in the version that Touchstone names. */
export function checkPackages(root = ROOT): Check {
  const { dependencies } = readJson(join(root, 'package.json')) as {
    dependencies: Record<string, string>
  }
  const wrong = Object.entries(dependencies).flatMap(([name, wanted]) => {
    const found = versionOf(name, root)
    return found === wanted ? [] : [`${name} ${found ?? 'is missing'}, not ${wanted}`]
  })
  const { length } = Object.keys(dependencies)
  if (wrong.length === 0) return ok('packages', `all ${length} are as named`)
  return fail('packages', wrong.slice(0, NAMED).join('; '), AGAIN)
}

/** Read from its folder, because a package may not export its package.json. */
function versionOf(name: string, root: string): string | undefined {
  const folders = createRequire(join(root, 'package.json')).resolve.paths(name) ?? []
  const path = folders.map((folder) => join(folder, name, 'package.json')).find(existsSync)
  return path && (readJson(path) as { version: string }).version
}

export function checkWindow(root = ROOT): Check {
  if (existsSync(join(root, 'renderer', 'dist', 'index.html'))) return ok('window', 'built')
  const detail = 'not built, so touchstone serve has nothing to show'
  return { name: 'window', status: 'warn', detail, remedy: 'Run npm run build.' }
}

/** One prompt of every bundled suite, answered and judged in a process of its own, as a user's first command does. */
export async function checkEvaluation(): Promise<Check> {
  const folder = mkdtempSync(join(tmpdir(), 'touchstone-check-'))
  const cli = join(ROOT, 'evals', 'bin', `cli${extname(import.meta.filename)}`)
  const words = ['eval', '--model', 'pebble', '--limit', '1', '--out-dir', folder, '--quiet']
  try {
    await promisify(execFile)(process.execPath, [cli, ...words])
    return ok('evaluation', 'Pebble answers, and is judged')
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string }
    const detail = (stderr || message).trim().split('\n')[0]!
    return fail('evaluation', detail, 'Mend what the other lines say, else report this.')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
