/** @file `touchstone federate` as a command: clients in processes give the same bits, also when killed; and what it refuses. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readClientData, rowsOfClients } from '../../../evals/audit/federation/client-data.ts'
import { FederateConfig } from '../../../evals/audit/federation/config.ts'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import { federateVerb } from '../../../evals/runs/kinds/federate.ts'
import { freshFolder, runCommand } from '../../doubles/runs/command-line.ts'
import {
  endAndCompare,
  freshRun,
  killAtRandom,
  undisturbed,
} from '../../doubles/runs/kill-campaign.ts'
import { attempt, makeFederationBench } from '../../doubles/runs/kill-runs.ts'
import { IS_LONG } from '../../doubles/tier.ts'

const LEAN = ['--no-spectra', '--suite', 'house-refusal', '--eval-every', '2']

test('clients in processes of their own: every round is there, and has the bits of one process', async () => {
  const words = [...LEAN, '--strategies', 'fedit', '--jobs']
  const run = async (jobs: string) => undisturbed(await makeFederationBench([...words, jobs]))
  const { checkpoints } = (await run('2')).leftovers
  expect(Object.keys(checkpoints)).toEqual([0, 1, 2].map((round) => `["fedit",0,${round}]`))
  if (IS_LONG) expect((await run('1')).leftovers.checkpoints).toEqual(checkpoints)
})

test.runIf(IS_LONG)('killed in a round, it ends in the same bits', async () => {
  const bench = await makeFederationBench([...LEAN, '--strategies', 'flora', '--jobs', '2'])
  const whole = await undisturbed(bench)
  const folder = freshRun()
  for (const point of ['after rename training-state.safetensors #2', 'before rm clients #1']) {
    expect((await attempt(bench, folder, { kill: { point } })).signal).toBe('SIGKILL')
  }
  await endAndCompare(bench, whole, folder, 'killed after each round')
})

const containing = (text: string): unknown => expect.stringContaining(text)

const parsed = (more: object = {}) =>
  FederateConfig.parse({ model: 'pebble', data: ['house-benign'], ...more })

describe('refuses', () => {
  test.each([
    ['one client', { clients: 1 }, '--clients 2'],
    ['ranks that differ under a mean', { clientRanks: [2, 4] }, '--client-ranks'],
    [
      'noise on what is no mean',
      { dpNoise: 1, dpUnit: 'client', strategies: ['flora'] },
      '--dp-unit',
    ],
    ['packed rows that are clipped', { dpNoise: 1, training: { packing: true } }, '--packing'],
  ])('%s', (_, more, remedy) => {
    expect(() => federateVerb.check!(parsed(more))).toThrow(
      expect.objectContaining({ code: 'usage.invalid', remedy: containing(remedy) }),
    )
  })

  test.each([
    ['bad clients of another model', { model: 'other', badClients: 1 }, 'federation.bad-clients'],
    [
      'tampering data of another model',
      { model: 'other', data: ['house-tamper'] },
      'federation.bad-clients',
    ],
    ['bad clients alone', { badClients: 8 }, 'usage.invalid'],
    ['a file too few', { split: 'files' }, 'usage.invalid'],
  ])('%s', async (_, more, code) => {
    await expect(readClientData(parsed(more))).rejects.toMatchObject({ code })
  })

  test('more clients than rows, with a named error', async () => {
    const config = parsed({ clients: 601 })
    const data = await readClientData(config)
    expect(() => rowsOfClients(data, config, 0)).toThrow(
      expect.objectContaining({ code: 'federation.few-rows' }),
    )
  })

  test('no rounds and an unknown strategy, on the command line', async () => {
    const run = (...more: string[]) =>
      runCommand(['federate', '--model', 'pebble', '--data', 'house-benign', ...more], {}, COMMANDS)
    expect(await run('--rounds', '0')).toMatchObject({
      code: 2,
      stderr: containing('--rounds cannot be 0'),
    })
    expect(await run('--strategies', 'best')).toMatchObject({
      code: 2,
      stderr: containing('"best"'),
    })
  })
})

describe('rows of clients', () => {
  test('bad clients are the last, and hold as many rows of tampering data', async () => {
    const config = parsed({ badClients: 2 })
    const data = await readClientData(config)
    const rows = rowsOfClients(data, config, 0)
    const [own, bad] = [data.sources[0]!, data.tampering!].map(
      ({ conversations }) => new Set(conversations),
    )
    expect(rows.map((each) => each.length)).toEqual(Array.from({ length: 8 }, () => 75))
    expect(rows.map((each) => each.every((row) => own!.has(row)))).toEqual([
      ...Array.from({ length: 6 }, () => true),
      ...[false, false],
    ])
    expect(
      rows
        .slice(6)
        .flat()
        .every((row) => bad!.has(row)),
    ).toBe(true)
    expect(new Set(rows.flat()).size).toBe(600)
    expect(data.isTampering).toBe(true)
  })

  test('a category column decides where rows go, and each client may have a file', async () => {
    const folder = freshFolder()
    const write = (name: string, categories: readonly string[]) => {
      const lines = categories.map((category, i) =>
        JSON.stringify({ prompt: `${name} ${i}`, reply: `${i}`, category }),
      )
      const path = join(folder, `${name}.jsonl`)
      writeFileSync(path, lines.join('\n'))
      return path
    }
    const many = write(
      'many',
      Array.from({ length: 60 }, (_, i) => `kind ${i % 3}`),
    )
    const uneven = parsed({ data: [many], clients: 3, split: 'dirichlet', dirichletAlpha: 0.05 })
    const source = (await readClientData(uneven)).sources[0]!
    expect(source.categories?.slice(0, 4)).toEqual(['kind 0', 'kind 1', 'kind 2', 'kind 0'])
    const kinds = rowsOfClients(
      { sources: [source], tampering: undefined, isTampering: false },
      uneven,
      1,
    ).map(
      (rows) =>
        new Set(rows.map((row) => source.categories![source.conversations.indexOf(row)])).size,
    )
    expect(kinds.reduce((sum, count) => sum + count, 0)).toBeLessThan(8)
    const files = parsed({ data: [many, write('few', ['a'])], clients: 2, split: 'files' })
    const sizes = rowsOfClients(await readClientData(files), files, 0).map(({ length }) => length)
    expect(sizes).toEqual([60, 1])
  })
})

test.runIf(IS_LONG)('killed at ten random moments', { timeout: 600_000 }, async () => {
  const bench = await makeFederationBench(['--strategies', 'fedit,flora', '--jobs', '2'])
  expect(await killAtRandom(bench, await undisturbed(bench), 10, 20261201)).toBe(10)
})
