/** @file llama.cpp's own HTTP server on SmolLM2: what it can be asked, and whether it is the GGUF file that is read here. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { COMMANDS } from '../../evals/cli/verbs/registry.ts'
import { runCommand } from '../doubles/runs/command-line.ts'
import { findSmolLm2, oraclePython, SMOLLM2_MISSING } from './smollm2.ts'

const script = fileURLToPath(new URL('served-llama-cpp.py', import.meta.url))
const model = findSmolLm2()
const hasServer = spawnSync(oraclePython(), ['-c', 'import xllamacpp']).status === 0
const title = model && hasServer ? 'llama.cpp’s server' : `llama.cpp’s server: ${SMOLLM2_MISSING}`

describe.skipIf(!model || !hasServer)(title, { timeout: 600_000 }, () => {
  let server: ChildProcess
  let address: string
  beforeAll(async () => {
    server = spawn(oraclePython(), [script, model!, '--alias', 'smol'])
    for await (const line of createInterface(server.stdout!)) {
      address = `${line}/v1#smol`
      break
    }
  }, 600_000)
  afterAll(() => server.kill())

  test('its capabilities are found', async () => {
    const argv = ['inspect', address, '--reply-timeout', '600', '--json']
    const { code, stdout, stderr } = await runCommand(argv, {}, COMMANDS)
    expect(code, stderr).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      model: 'smol',
      capabilities: { chat: true, replyLogProbs: true, givenLogProbs: null, template: true },
    })
  })

  test('it is given the prompts that are measured here', async () => {
    const served = ['--served', address, '--reply-timeout', '600']
    const argv = ['certify', '--model', model!, ...served, '--suite', 'general', '--limit', '2']
    const { stdout } = await runCommand(argv, {}, COMMANDS)
    expect(stdout).not.toMatch(/looks like: (?:template|doubled-start|system-prompt)/u)
  })
})
