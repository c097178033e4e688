/** @file transformers' own server on SmolLM2: a whole audit by addresses alone, and whether it serves the folder that is read here. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { COMMANDS } from '../../evals/cli/verbs/registry.ts'
import { Results } from '../../evals/contract/results.ts'
import { freshFolder, runCommand } from '../doubles/runs/command-line.ts'
import { findSmolLm2, oraclePython, SMOLLM2_MISSING } from './smollm2.ts'

const model = findSmolLm2()
const FIND = 'import importlib.util as u, sys; sys.exit(None in map(u.find_spec, sys.argv[1:]))'
const NEEDED = ['torch', 'transformers', 'fastapi', 'uvicorn', 'openai']
const hasServer = spawnSync(oraclePython(), ['-c', FIND, ...NEEDED]).status === 0
const MISSING = model ? `needs a Python with ${NEEDED.join(', ')}` : SMOLLM2_MISSING
const isThere = model !== undefined && hasServer

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function serve(folder: string): Promise<{ url: string; process: ChildProcess }> {
  const port = await freePort()
  const main = 'from transformers.cli.transformers import main; main()'
  const where = ['--host', '127.0.0.1', '--port', String(port)]
  const as = ['--device', 'cpu', '--dtype', 'float32']
  const child = spawn(oraclePython(), ['-c', main, 'serve', folder, ...where, ...as], {
    // Two threads of OpenMP spin for each other where other programs run: a reply of 12 tokens took 30 s in place of 2.
    env: { ...process.env, HF_HUB_OFFLINE: '1', OMP_NUM_THREADS: '1' },
    stdio: 'ignore',
  })
  const url = `http://127.0.0.1:${port}/v1`
  while (child.exitCode === null) {
    const answer = await fetch(`${url}/models`).catch(() => undefined)
    if (answer?.ok) return { url, process: child }
    await pause(500)
  }
  throw new Error('the server ended before it answered')
}

const title = 'transformers’ server'

describe.skipIf(!isThere)(isThere ? title : `${title}: ${MISSING}`, { timeout: 900_000 }, () => {
  const folder = join(freshFolder(), 'smollm2')
  const patient = ['--reply-timeout', '600']
  let server: Awaited<ReturnType<typeof serve>>
  beforeAll(async () => {
    const written = ['export-model', '--model', model!, '--as', 'f32', '-o', folder]
    expect((await runCommand(written, {}, COMMANDS)).code).toBe(0)
    server = await serve(folder)
  }, 600_000)
  afterAll(() => server.process.kill())

  test('a whole audit by addresses alone; what the server lacks is left out, and told', async () => {
    const out = freshFolder()
    const states = ['--model', server.url, '--candidate', server.url, ...patient]
    const limits = ['--limit', '4', '--max-new-tokens', '12', '--out-dir', out]
    const argv = ['audit', ...states, '--suite', 'general', ...limits]
    const { code, stdout, stderr } = await runCommand(argv, {}, COMMANDS)
    expect(code, stderr + stdout).toBe(101)
    const results = Results.parse(JSON.parse(readFileSync(join(out, 'results.json'), 'utf8')))
    const [base] = results.subjects
    // It calls a model in a folder by its path.
    expect(base!.served).toMatchObject({ model: folder, capabilities: { chat: true } })
    expect(base!.served!.leftOut.map(({ what }) => what)).toContain('neutral-loss')
    expect(results.comparisons.length).toBeGreaterThan(0)
    expect(stdout).toContain('identical runs differ on 0 of')
    expect(stdout).toContain('The loss on neutral text was not measured')
  })

  test('it is the folder that is read here: its replies, and prompts of as many tokens', async () => {
    const suite = ['--suite', 'general', '--limit', '2', ...patient]
    const argv = ['certify', '--model', folder, '--served', server.url, ...suite]
    const { stdout, stderr } = await runCommand(argv, {}, COMMANDS)
    expect(stdout, stderr).toContain('verdicts changed')
    expect(stdout).not.toContain('looks like')
  })
})
