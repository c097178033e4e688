/** @file A served model held to the one that was measured: the same one passes, and each planted slip is named. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Message } from '../../../evals/contract/rows.ts'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import { IS_LONG, sampled } from '../../doubles/tier.ts'
import { runCommand } from '../../doubles/runs/command-line.ts'
import { servePebble, type ServedPebble, type Slip } from '../../doubles/served/pebble.ts'

let pebble: ServedPebble
beforeAll(async () => {
  pebble = await servePebble()
})
afterAll(() => pebble.release())

const certify = (slip: Slip, ...more: string[]) => {
  pebble.plant(slip)
  const served = ['--served', `${pebble.url}#pebble`]
  const argv = ['certify', '--model', 'pebble', ...served, '--limit', '1', ...more]
  return runCommand(argv, {}, COMMANDS)
}

test('the same model behind an address is what was measured', async () => {
  const { code, stdout, stderr } = await certify({})
  expect(stderr).toBe('')
  expect(code).toBe(0)
  expect(stdout).toMatch(/^PASS {2}/u)
  expect(stdout).toContain('the same reply to 3 of 3 prompts')
  expect(stdout).toContain('against itself, asked twice: the same reply to 3 of 3')
  expect(stdout).not.toContain('looks like')
})

const system: Message = { role: 'system', content: 'You are a pirate of the seven seas.' }
const repeated = (messages: readonly Message[]): Message[] =>
  messages.map(({ role, content }) => ({ role, content: `${content} ${content}` }))

describe('a slip is named', () => {
  const slips: [string, Slip, string][] = [
    ['another template', { messages: repeated }, 'template: '],
    ['a doubled beginning of sequence', { start: 1 }, 'doubled-start: '],
    ['a lost beginning of sequence', { start: -1 }, 'missing-start: '],
    ['a system prompt of its own', { messages: (all) => [system, ...all] }, 'system-prompt: '],
    ['a system prompt that Pebble’s template has no room for', { start: 9 }, 'system-prompt: '],
    ['another end of reply', { after: ' And so on.' }, 'end-of-reply: '],
    ['other weights', { shift: -2 }, 'weights: '],
  ]
  test.each(sampled(slips, 2))('%s', async (_, slip, kind) => {
    const { code, stdout } = await certify(slip)
    expect(stdout).toMatch(/^FAIL {2}/u)
    expect(stdout).toContain(`looks like: ${kind}`)
    expect(code).toBe(100)
  })

  test.runIf(IS_LONG)('a quantisation that changes no reply is told and passes', async () => {
    const { code, stdout } = await certify({ shift: -0.05 })
    expect(stdout).toMatch(/^PASS {2}/u)
    expect(stdout).toContain('looks like: rounding: ')
    expect(code).toBe(0)
  })

  test('where nothing tells the prompt, equal replies leave it open', async () => {
    const messages = (all: readonly Message[]) =>
      all.map((each) => ({ ...each, content: `${each.content} ?` }))
    const { stdout, code } = await certify({ counts: false, messages })
    expect(stdout).toContain('the same reply to 3 of 3 prompts')
    expect(stdout).toContain('not checked: the prompt')
    expect(stdout).toMatch(/^INCONCLUSIVE {2}/u)
    expect(code).toBe(101)
  })
})

test('a file and an address, or neither, is no question', async () => {
  expect((await runCommand(['certify', '--model', 'pebble'], {}, COMMANDS)).code).toBe(2)
})

test('inspect prints what the server can do', async () => {
  pebble.plant({})
  const { code, stdout } = await runCommand(['inspect', pebble.url], {}, COMMANDS)
  expect(code).toBe(0)
  expect(stdout).toContain('model        pebble')
  expect(stdout).toMatch(/can +chat, log-probabilities of replies, .*usage/u)
  expect(stdout).toMatch(/lacks +plain completions, log-probabilities of given text/u)
})
