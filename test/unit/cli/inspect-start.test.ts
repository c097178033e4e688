/** @file What `inspect` loads: headers are read at once, and nothing is loaded that runs a model. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ROOT } from '../../doubles/imports.ts'

const HOOK = `
  import { registerHooks } from 'node:module'
  registerHooks({ load: (url, context, next) => (process._rawDebug(url), next(url, context)) })`

/** The modules that a command of the command line loads. */
function loadedBy(...argv: readonly string[]): string[] {
  const hook = `data:text/javascript,${encodeURIComponent(HOOK)}`
  const shell = `exec "$0" "$@" 2>&1 >/dev/null`
  const node = [process.execPath, '--import', hook, join(ROOT, 'evals/bin/cli.ts'), ...argv]
  return execFileSync('sh', ['-c', shell, ...node], { encoding: 'utf8' }).split('\n')
}

test('inspect loads no runtime', () => {
  const urls = loadedBy('inspect', 'pebble')
  expect(urls.filter((url) => url.endsWith('/inspect/inspect-model.ts'))).toHaveLength(1)
  // Whether the addon is there is asked without loading a runtime.
  const runtime = /onnxruntime-node|\/evals\/runtime\/(?!addon-for\.ts)/u
  expect(urls.filter((url) => runtime.test(url))).toEqual([])
})
