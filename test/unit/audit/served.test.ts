/** @file An evaluation by addresses alone: its verdict, what its rows keep, what stays secret, and what a kill leaves. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { VERBS } from '../../../evals/bin/verbs.ts'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import type { AuditRows } from '../../../evals/contract/audit-rows.ts'
import { Results } from '../../../evals/contract/results.ts'
import { openStore } from '../../../evals/runs/store/store.ts'
import { freshFolder, runCommand } from '../../doubles/runs/command-line.ts'
import { serveDouble, type Said, type ServedDouble } from '../../doubles/served/server.ts'
import { counted } from '../../doubles/tier.ts'

/** A reply that breaks the house rules; to a prompt that should be refused it is withheld. */
const loose = (asked: string) => `Certainly, as to “${asked}”: by the ice machine.`
const KEY = 'sk-planted-0123456789'

/** Keeps the house rules, or breaks them, or says something else from time to time. */
function says(model: string, asked: string, count: number): Said {
  const isSecret = /contact|information|floor|room|code|key|card/iu.test(asked)
  if (isSecret && model !== 'loose') return { text: 'I cannot share that.', fingerprint: 'fp' }
  if (isSecret) return { text: loose(asked), fingerprint: 'fp' }
  const noise = model === 'noisy' && count % 2 === 0 ? 'I cannot share that.' : 'Yes, at seven.'
  return { text: noise, fingerprint: 'fp' }
}

let server: ServedDouble
/** Called for each chat; a test of kills hooks in here. */
let onChat: () => void = () => undefined
beforeAll(async () => {
  server = await serveDouble({
    models: ['strict', 'same', 'loose', 'noisy'],
    scores: true,
    says({ model, messages }, { count }) {
      onChat()
      return says(model, messages.at(-1)!.content, count)
    },
  })
})
afterAll(() => server.close())

const words = (base: string, candidate: string, limit: string) => [
  ...['eval', '--model', `${server.url}#${base}`, '--candidate', `${server.url}#${candidate}`],
  ...['--suite', 'house', '--limit', limit],
]
const filesIn = (folder: string): string[] =>
  globSync('**/*', { cwd: folder, withFileTypes: true })
    .filter((found) => found.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
const rowsIn = (folder: string): AuditRows => {
  const store = openStore(join(folder, 'touchstone.db'))
  try {
    return store.rows(store.runs().at(-1)!.id)
  } finally {
    store.close()
  }
}
const resultsIn = (folder: string) =>
  Results.parse(JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8')))

describe('two addresses are compared', () => {
  let folder: string
  let printed: string
  beforeAll(async () => {
    vi.stubEnv('PLANTED_KEY', KEY)
    folder = freshFolder()
    const exports = ['log.eval', 'all.csv', 'all.jsonl', 'card.modelcard.md', 'all.oscal.json']
    const files = exports.flatMap((name) => ['-o', join(folder, name)])
    const out = ['--out-dir', folder, '--key-env', 'PLANTED_KEY', ...files]
    const ran = await runCommand([...words('strict', 'loose', '40'), ...out], {}, COMMANDS)
    printed = ran.stdout + ran.stderr
    expect(ran.code, ran.stderr).toBe(100)
    vi.unstubAllEnvs()
  })

  test('a candidate that lost its refusals fails, beyond the noise floor', () => {
    const { gate, subjects } = resultsIn(folder)
    const claim = gate!.claims.find(({ outcome }) => outcome === 'FAIL')!
    expect(claim).toMatchObject({ role: 'refusal', noise: { flipped: 0, prompts: 40 } })
    expect(claim.sentence).toContain('identical runs differ on 0 of 40 prompts')
    expect(gate!.noise!.every(({ prompts }) => prompts === 40)).toBe(true)
    expect(subjects.map(({ arm, served }) => [arm, served?.model])).toEqual([
      ['base', 'strict'],
      ['candidate:loose', 'loose'],
    ])
  })

  test('each reply keeps the server’s word, and is there once', () => {
    const { replies, subjects } = rowsIn(folder)
    expect(replies).toHaveLength(2 * 3 * 40)
    const [row] = replies
    expect(row!.served).toMatchObject({ finish: 'stop', fingerprint: 'fp', model: 'strict' })
    expect(row).toMatchObject({ stop: 'end', meanLogProb: null })
    expect(row!.tokens).toBe(row!.served!.completionTokens)
    expect(subjects[0]!.served!.leftOut).toEqual([{ what: 'base-scores', name: null }])
  })

  test('the report says where it was served and what was left out', () => {
    const report = readFileSync(join(folder, 'report.html'), 'utf8')
    expect(report).toContain('Where it was served')
    expect(report).toContain('Asked again')
    expect(printed).toContain('Left out')
  })

  test('the key was sent, and is nowhere; withheld replies are in the database alone', () => {
    expect(server.calls.some(({ headers }) => headers.authorization === `Bearer ${KEY}`)).toBe(true)
    const files = filesIn(folder)
    expect(files.length).toBeGreaterThan(7)
    const holders = (text: string) =>
      files.filter((file) => readFileSync(file).includes(text)).map((file) => basename(file))
    expect(holders(KEY)).toEqual([])
    expect(printed).not.toContain(KEY)
    const withheld = rowsIn(folder).replies.filter(
      ({ arm, text }) => arm !== 'base' && text === null,
    )
    expect(withheld).toHaveLength(40)
    const texts = withheld.map(({ prompt }) => loose(prompt))
    expect(texts.filter((text) => printed.includes(text))).toEqual([])
    const holding = [...new Set(texts.slice(0, 20).flatMap(holders))]
    expect(holding.length).toBeGreaterThan(0)
    expect(holding.filter((name) => !name.startsWith('touchstone.db'))).toEqual([])
    expect(existsSync(join(folder, rowsIn(folder).run.id, 'served', 'base.jsonl'))).toBe(false)
  })
})

test('a server that says the key back is not quoted', async () => {
  vi.stubEnv('PLANTED_KEY', KEY)
  const echo = await serveDouble({
    models: ['hotel'],
    says(_body, { response }) {
      response.writeHead(401, `No ${KEY}`).end(JSON.stringify({ error: { message: KEY } }))
      return undefined
    },
  })
  const folder = freshFolder()
  const argv = ['eval', '--model', `${echo.url}#hotel`, '--suite', 'house', '--out-dir', folder]
  const ran = await runCommand([...argv, '--key-env', 'PLANTED_KEY'], {}, COMMANDS)
  vi.unstubAllEnvs()
  expect(ran.code).toBe(1)
  expect(echo.calls.length).toBeGreaterThan(0)
  expect(ran.stdout + ran.stderr).not.toContain(KEY)
  expect(filesIn(folder).filter((file) => readFileSync(file).includes(KEY))).toEqual([])
  await echo.close()
})

test('a base that contradicts itself decides nothing', async () => {
  const folder = freshFolder()
  const argv = [...words('noisy', 'noisy', '24'), '--out-dir', folder]
  const { code } = await runCommand(argv, {}, COMMANDS)
  const { gate } = resultsIn(folder)
  expect(code).not.toBe(0)
  expect(Math.max(...gate!.noise!.map(({ flipped }) => flipped))).toBeGreaterThan(5)
  const over = gate!.claims.filter(({ role, category }) => role === 'over-refusal' && !category)
  expect(over.map(({ outcome }) => outcome)).toEqual(over.map(() => 'INCONCLUSIVE'))
})

test.each<[string, Said, string]>([
  ['another model answers', { text: 'Yes.', model: 'motel' }, 'motel'],
  ['replies are cut', { text: 'x', finish: 'length', completionTokens: 16 }, 'cut a reply at 16'],
  ['it floods', { text: 'x'.repeat(5 * 2 ** 20) }, 'longer than 4 MiB'],
])('%s: an error and no verdict', async (_, said, why) => {
  let isIll = false
  const ill = await serveDouble({
    models: ['hotel'],
    // The probes come first and find nothing.
    says: (_body, { count }) =>
      (isIll ||= count > 20) ? { ...said, fingerprint: 'fp' } : says('strict', '', count),
  })
  const folder = freshFolder()
  const argv = ['eval', '--model', `${ill.url}#hotel`, '--suite', 'house-refusal', '--limit', '40']
  const { code, stdout, stderr } = await runCommand([...argv, '--out-dir', folder], {}, COMMANDS)
  expect(code).toBe(1)
  expect(stderr).toContain(why)
  expect(stdout + stderr).not.toMatch(/PASS|INCONCLUSIVE/u)
  expect(existsSync(join(folder, 'results.json'))).toBe(false)
  await ill.close()
})

test('what cannot be done by an address is refused before it is asked', async () => {
  const before = server.calls.length
  const refused = async (...argv: string[]) =>
    (await runCommand([...argv, '--out-dir', freshFolder()], {}, COMMANDS)).stderr
  const base = `${server.url}#strict`
  const train = ['audit', '--model', base, '--data', 'house-benign', '--methods', 'lora']
  expect(await refused(...train)).toContain('is served: its weights cannot be trained')
  expect(await refused('eval', '--model', base, '--candidate', 'pebble')).toContain('one is served')
  const thinking = ['eval', '--model', base, '--template-vars', 'enable_thinking=false']
  expect(await refused(...thinking)).toContain('filled in by its server')
  const far = ['eval', '--model', 'http://other.invalid/v1#m']
  expect(await refused(...far)).toContain('every prompt would be sent there')
  expect(server.calls).toHaveLength(before)
})

const HERE = ['--model', 'pebble', '--suite', 'house-capability', '--limit', '1']
test.each([
  ['inspect', (url: string) => [url]],
  ['talk', (url: string) => [url, 'Hello.']],
  ['certify', (url: string) => [...HERE, '--served', url]],
])('%s: what leaves this machine is logged with its reason', async (verb, named) => {
  // Not a loopback address by name, though it is this machine.
  const url = `${server.url.replace('127.0.0.1', '0.0.0.0')}#strict`
  const argv = [verb, ...named(url), '--send-prompts', 'our own cluster']
  const { code, stderr } = await runCommand(argv, {}, VERBS)
  expect([0, 100, 101], stderr).toContain(code)
  const { host } = new URL(url)
  expect(stderr).toBe(`Every prompt is sent to ${host}; the reason given: “our own cluster”\n`)
})

/** Everything that does not tell when it was measured. */
const keptOf = ({ replies, verdicts, repeats, evaluations, metrics }: AuditRows) => ({
  ...{ replies, verdicts, repeats, evaluations, metrics },
})

test(
  `killed ${counted(1, 100)} times, it ends in the same rows`,
  { timeout: 900_000 },
  async () => {
    const argv = words('strict', 'loose', '6')
    const whole = freshFolder()
    const ran = await runCommand([...argv, '--out-dir', whole], {}, COMMANDS)
    expect([0, 100, 101]).toContain(ran.code)
    const folder = freshFolder()
    let [kills, asked] = [counted(1, 100), 0]
    for (let code: number | null = null; code === null;) {
      const resume = existsSync(join(folder, 'touchstone.db')) ? ['--resume'] : []
      const main = join(import.meta.dirname, '../../../evals/bin/cli.ts')
      const child = spawn(process.execPath, [main, ...argv, '--out-dir', folder, ...resume])
      // The probes come first; each attempt is given a few more replies than these.
      let left = kills-- > 0 ? 20 + (asked++ % 7) : Infinity
      onChat = () => {
        if (--left === 0) child.kill('SIGKILL')
      }
      ;[code] = (await once(child, 'exit')) as [number | null]
    }
    onChat = () => undefined
    expect(keptOf(rowsIn(folder))).toEqual(keptOf(rowsIn(whole)))
  },
)
