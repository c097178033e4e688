/** @file llama.cpp's own HTTP server on SmolLM2: what it can be asked, and whether it is the GGUF file that is read here. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { COMMANDS } from '../../evals/cli/verbs/registry.ts'
import type { Results } from '../../evals/contract/results.ts'
import { freshFolder, runCommand } from '../doubles/runs/command-line.ts'
import { findSmolLm2, oraclePython, SMOLLM2_MISSING } from './smollm2.ts'

const script = fileURLToPath(new URL('served-llama-cpp.py', import.meta.url))
const model = findSmolLm2()
const hasServer = spawnSync(oraclePython(), ['-c', 'import xllamacpp']).status === 0
const title = model && hasServer ? 'llama.cpp’s server' : `llama.cpp’s server: ${SMOLLM2_MISSING}`

/** SmolLM2’s own template, whose parts the planted slips change. */
const SYSTEM = 'You are a helpful AI assistant named SmolLM, trained by Hugging Face'
const template = ({ start = '', system = SYSTEM, role = '' }): string =>
  [
    start,
    `{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}`,
    `{{ '<|im_start|>system\n${system}<|im_end|>\n' }}{% endif %}`,
    `{{ '<|im_start|>' + message['role'] + '${role}\n' + message['content'] + '<|im_end|>\n' }}{% endfor %}`,
    `{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}`,
  ].join('')

interface Served {
  readonly address: string
  readonly process: ChildProcess
}

async function serve(argv: readonly string[] = []): Promise<Served> {
  const child = spawn(oraclePython(), [script, model!, '--alias', 'smol', ...argv])
  for await (const line of createInterface(child.stdout)) {
    return { address: `${line}/v1#smol`, process: child }
  }
  throw new Error('the server ended before it said its address')
}

const patient = ['--reply-timeout', '600']

describe.skipIf(!model || !hasServer)(title, { timeout: 900_000 }, () => {
  let server: Served
  beforeAll(async () => {
    server = await serve()
  }, 600_000)
  afterAll(() => server.process.kill())

  test('its capabilities are found', async () => {
    const argv = ['inspect', server.address, ...patient, '--json']
    const { code, stdout, stderr } = await runCommand(argv, {}, COMMANDS)
    expect(code, stderr).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      model: 'smol',
      capabilities: { chat: true, replyLogProbs: true, givenLogProbs: null, template: true },
    })
  })

  const certify = async (address: string, limit: number) => {
    const served = ['--served', address, ...patient]
    const suite = ['--suite', 'general', '--limit', String(limit)]
    return runCommand(['certify', '--model', model!, ...served, ...suite], {}, COMMANDS)
  }

  test('it is given the prompts that are measured here', async () => {
    const { stdout } = await certify(server.address, 2)
    expect(stdout).not.toMatch(/looks like: (?:template|doubled-start|system-prompt)/u)
  })

  test.each([
    ['its own template, written anew', {}, undefined],
    ['another template', { role: ':' }, 'template'],
    ['a doubled beginning', { start: '<|im_start|>' }, 'doubled-start'],
    ['a system prompt of the server', { system: `${SYSTEM}. Be brief` }, 'system-prompt'],
  ])('%s: what it looks like', async (_, slip, kind) => {
    const file = join(freshFolder(), 'template.jinja')
    writeFileSync(file, template(slip))
    const changed = await serve(['--template', file])
    try {
      const { stdout } = await certify(changed.address, 1)
      const looks = [...stdout.matchAll(/looks like: ([a-z-]+)/gu)].map(([, name]) => name)
      const prompts = looks.filter((name) => name !== 'rounding' && name !== 'weights')
      expect(prompts, stdout).toEqual(kind === undefined ? [] : [kind])
    } finally {
      changed.process.kill()
    }
  })

  test('a whole audit by addresses alone', async () => {
    const out = freshFolder()
    const [base, candidate] = ['--model', '--candidate'].map((flag) => [flag, server.address])
    const argv = ['audit', ...base!, ...candidate!, ...patient, '--suite', 'general']
    const limits = ['--limit', '6', '--max-new-tokens', '24', '--out-dir', out]
    const { code, stdout, stderr } = await runCommand([...argv, ...limits], {}, COMMANDS)
    expect(code, stderr + stdout).toBe(101)
    expect(stdout).toMatch(/^INCONCLUSIVE {2}/mu)
    const results = JSON.parse(readFileSync(join(out, 'results.json'), 'utf8')) as Results
    expect(new Set(results.evaluations.map(({ arm }) => arm)).size).toBe(2)
    expect(results.comparisons.length).toBeGreaterThan(0)
    expect(stdout).toContain('noise')
  })
})
