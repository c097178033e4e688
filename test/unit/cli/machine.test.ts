/** @file What a machine, a folder or a file of somebody can do to a command: each ends in an error with a name, in time. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { VERBS } from '../../../evals/bin/verbs.ts'
import { processorMs } from '../../doubles/processor-time.ts'
import { ROOT } from '../../doubles/imports.ts'
import { freshFolder, runCommand } from '../../doubles/runs/command-line.ts'

const here = freshFolder()
const place = (name: string) => join(here, name)
const run = (...words: string[]) => runCommand(words, {}, VERBS)
const evalOf = (model: string, suite: string, outDir: string) =>
  run('eval', '--model', model, '--suite', suite, '--limit', '2', '--out-dir', outDir, '--quiet')

/** Of processor time; each takes a fraction of it. */
const SECONDS = 20

async function endsByName(command: ReturnType<typeof run>, said: RegExp) {
  const before = processorMs()
  const { code, stderr } = await command
  expect(stderr).toMatch(said)
  expect(stderr).not.toContain('bug in Touchstone')
  expect([1, 2]).toContain(code)
  expect((processorMs() - before) / 1000).toBeLessThan(SECONDS)
}

describe('paths', () => {
  symlinkSync('loop', place('loop'))
  const long = place('x'.repeat(300))
  const out = place('out')
  test.each([
    ['a circle of links as folder', () => evalOf('pebble', 'general', place('loop')), /ELOOP/],
    ['a circle of links as model', () => evalOf(place('loop'), 'general', out), /ELOOP/],
    ['a long name as folder', () => evalOf('pebble', 'general', long), /ENAMETOOLONG/],
    ['a long name as model', () => evalOf(long, 'general', out), /ENAMETOOLONG|no file or folder/],
    ['a long name as suite', () => evalOf('pebble', `${long}.csv`, out), /cannot be|ENAMETOOLONG/],
    ['a folder of the kernel', () => evalOf('pebble', 'general', '/proc/x'), /ENOENT|EACCES/],
    ['a folder of devices', () => evalOf('pebble', 'general', '/sys/x'), /EPERM|EACCES|EROFS/],
    [
      'a long name of an output',
      () => run('eval', '--model', 'pebble', '--suite', 'general', '-o', `${long}.html`, '--quiet'),
      /ENAMETOOLONG/,
    ],
  ])('%s', (_, command, said) => endsByName(command(), said))
})

describe('files', () => {
  const write = (name: string, text: string) => {
    writeFileSync(place(name), text)
    return place(name)
  }
  const names = Array.from({ length: 200_000 }, (_, i) => `c${i}`).join(',')
  const deep = '['.repeat(150_000) + ']'.repeat(150_000)

  test('CSV of 200,000 columns', async () => {
    const path = write('wide.csv', `${names}\n${names}\n`)
    await endsByName(run('data', path), /200000 columns, where at most 4096 are read/)
    await endsByName(run('import', path, '--out-dir', place('i')), /200000 columns/)
  })

  test.each([
    ['JSON', `[${deep}]`],
    ['conversations', `[{"messages": ${deep}}]`],
  ])('JSON 150,000 deep: %s', async (_, text) => {
    const path = write('deep.json', text)
    await endsByName(run('data', path), /cannot be read as data|nesting|row 1/)
    await endsByName(run('import', path, '--out-dir', place('i')), /cannot be read|columns of no/)
  })

  test('a prompt of one word of ten megabytes', async () => {
    const word = 'a'.repeat(10_000_000)
    const path = write('word.jsonl', `${JSON.stringify({ prompt: word, completion: 'x' })}\n`)
    const words = ['--methods', 'lora', '--steps', '1', '--out-dir', place('w'), '--quiet']
    const command = run('train', '--model', 'pebble', '--data', path, ...words)
    await endsByName(command, /a word of 100000\d\d characters/)
  })
})

describe('models', () => {
  const changed = (name: string, config: object) => {
    cpSync(join(ROOT, 'evals/bundled/pebble'), place(name), { recursive: true })
    const path = join(place(name), 'config.json')
    const before = JSON.parse(readFileSync(path, 'utf8')) as object
    writeFileSync(path, JSON.stringify({ ...before, ...config }))
    return place(name)
  }

  test.each([
    ['num_key_value_heads', 10 ** 9],
    ['num_attention_heads', 10 ** 9],
    ['num_hidden_layers', 10 ** 9],
    ['hidden_size', 10 ** 9],
    ['intermediate_size', 10 ** 9],
    ['head_dim', 10 ** 9],
    ['vocab_size', 10 ** 12],
    ['max_position_embeddings', 10 ** 15],
  ])('%s of %i', (key, value) =>
    endsByName(
      evalOf(changed(key, { [key]: value }), 'general', place('m')),
      new RegExp(`${key}|has shape|holds no weight|weight "`),
    ),
  )

  test('weights with NaN or infinite numbers', async () => {
    for (const [name, value] of [
      ['nan', NaN],
      ['inf', Infinity],
    ] as const) {
      const model = changed(name, {})
      const path = join(model, 'model.safetensors')
      const bytes = readFileSync(path)
      bytes.writeFloatLE(value, bytes.length - 400)
      const end = Number(bytes.readBigUInt64LE(0)) + 8
      for (let at = end; at < bytes.length; at += 4096) bytes.writeFloatLE(value, at)
      writeFileSync(path, bytes)
      await endsByName(
        evalOf(model, 'general', place(`${name}-out`)),
        /What base \(seed 0, step 0\) computes is not a finite number/,
      )
    }
  })

  test('an adapter with alpha 1e308', async () => {
    const words = ['--model', 'pebble', '--data', 'house-benign', '--methods', 'lora']
    const size = ['--alpha', '1e308', '--steps', '2', '--out-dir', place('alpha'), '--quiet']
    await endsByName(run('train', ...words, ...size), /the loss is not a finite number|alpha/)
  })
})

describe('a process', () => {
  mkdirSync(place('p'))
  const shell = (line: string, environment: Readonly<Record<string, string>> = {}) => {
    const touchstone = `"${process.execPath}" --disable-warning=ExperimentalWarning evals/bin/cli.ts`
    const env = { ...process.env, ...environment }
    return spawnSync('bash', ['-c', line.replaceAll('TOUCHSTONE', touchstone)], {
      cwd: ROOT,
      env,
      encoding: 'utf8',
    })
  }
  const ask = `TOUCHSTONE eval --model pebble --suite general --limit 2 --quiet --out-dir ${place('p')}`

  test('whose home is no folder keeps no caches and works', () => {
    const environment = { HOME: '/proc', XDG_CACHE_HOME: '' }
    const { status, stderr } = shell(`${ask}/home`, environment)
    expect(stderr).not.toContain('bug in Touchstone')
    expect(status).toBe(0)
  })

  test('whose output is closed or full ends without a stack', () => {
    const piped = shell(`set -o pipefail; TOUCHSTONE --help | true; TOUCHSTONE ls >/dev/full`)
    expect(piped.stderr).not.toMatch(/ at .*\.ts:|Node\.js v/)
    const full = shell(`TOUCHSTONE --help >/dev/full`)
    expect(full.stderr).toMatch(/The output cannot be written: ENOSPC/)
    expect(full.status).toBe(1)
    expect(shell(`${ask}/closed 2>&-`).status).toBe(0)
  })

  test('with few open files says so', () => {
    for (const most of [24, 28, 32]) {
      const { status, stderr } = shell(`ulimit -n ${most}; ${ask}/few-${most}`)
      // Below what Node needs to start it ends by itself.
      if (status !== 0 && stderr !== '') {
        expect(stderr).not.toMatch(/bug in Touchstone|Node\.js v|chat template of/)
        expect(stderr).toMatch(/EMFILE|open files|unable to open/)
      }
    }
  })
})
