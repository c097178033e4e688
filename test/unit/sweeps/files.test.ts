/** @file Plans and results on disk: what is read back, what is taken for absent, and what is refused. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import type { CellResult } from '../../../evals/contract/sweeps.ts'
import { planCells } from '../../../evals/sweeps/cells/cell.ts'
import { SweepConfig } from '../../../evals/sweeps/config.ts'
import {
  borrowResult,
  openSweepFolder,
  planText,
  readPlan,
  readResult,
  resultPath,
  workFolder,
  writeResult,
} from '../../../evals/sweeps/files.ts'

const identity = { base: null, data: null, prompts: null, numerics: '1' }
const cellsOf = (seeds: string) =>
  planCells(SweepConfig.parse({ testbed: 'random-features', seeds: [seeds] }), identity)
const cells = cellsOf('0..2')

const result = (key: string, own: Partial<CellResult> = {}): CellResult => ({
  ...{ key, status: 'done', error: null, metrics: [{ name: 'test-error', value: 0.1 + 0.2 }] },
  curves: [],
  seconds: 1,
  ...own,
})

let sweeps: string
beforeEach(() => {
  sweeps = mkdtempSync(join(tmpdir(), 'touchstone-sweeps-'))
})

describe('a plan', () => {
  test('is read back as it was written, and is not written twice', async () => {
    const path = await openSweepFolder(sweeps, cells, false)
    expect(await readPlan(path)).toEqual(cells)
    const before = readFileSync(path)
    expect(await openSweepFolder(sweeps, cells, false)).toBe(path)
    expect(readFileSync(path)).toEqual(before)
  })

  test('clears what a killed process left, and keeps results', async () => {
    const path = await openSweepFolder(sweeps, cells, false)
    await writeResult(path, result(cells[0]!.key))
    mkdirSync(workFolder(path, cells[1]!.key), { recursive: true })
    writeFileSync(join(workFolder(path, cells[1]!.key), 'state.safetensors'), 'half')
    writeFileSync(join(dirname(path), 'cells', '.0123456789ab.tmp'), 'half')
    await openSweepFolder(sweeps, cells, false)
    expect(readdirSync(dirname(path)).sort()).toEqual(['cells', 'plan.jsonl'])
    expect(readdirSync(join(dirname(path), 'cells'))).toEqual([`${cells[0]!.key}.json`])
  })

  test.each([
    ['no file', undefined, 0],
    ['no JSON', 'not json\n', 1],
    ['another object', '{"a": 1}\n', 1],
    ['half a line', planText(cells).slice(0, -40), 3],
    ['a changed spec', planText(cells).replace('"seed":1', '"seed":7'), 2],
    ['a line that is missing', planText(cells).split('\n').slice(1).join('\n'), 1],
    ['a key that would lead elsewhere', planText(cells).replace(cells[0]!.key, '../../x'), 1],
  ])('is refused: %s', async (_, text, line) => {
    const path = join(sweeps, 'plan.jsonl')
    if (text !== undefined) writeFileSync(path, text)
    await expect(readPlan(path)).rejects.toMatchObject({
      code: 'sweep.plan',
      message: expect.stringContaining(`line ${line}`) as unknown,
    })
  })
})

describe('a result', () => {
  test('comes back with every bit', async () => {
    const path = await openSweepFolder(sweeps, cells, false)
    const own = result(cells[0]!.key, { curves: [{ name: 'c', x: [1, 2], y: [-1 / 3, 1e-300] }] })
    await writeResult(path, own)
    expect(await readResult(path, cells[0]!.key)).toEqual(own)
  })

  test.each([
    ['truncated', (text: string) => text.slice(0, -9)],
    ['empty', () => ''],
    ['of another cell', (text: string) => text.replace(cells[0]!.key, cells[1]!.key)],
    [
      'with a number that is a text',
      (text: string) => text.replace(/"seconds":1/, '"seconds":"1"'),
    ],
    ['not UTF-8', () => Buffer.from([0xff, 0xfe, 0x00])],
  ])('is taken for absent where it is %s', async (_, damage) => {
    const path = await openSweepFolder(sweeps, cells, false)
    await writeResult(path, result(cells[0]!.key))
    const file = resultPath(path, cells[0]!.key)
    writeFileSync(file, damage(readFileSync(file, 'utf8')))
    expect(await readResult(path, cells[0]!.key)).toBeUndefined()
  })

  test('of another plan in the same folder is borrowed if it is done, and only then', async () => {
    const first = await openSweepFolder(sweeps, cells, false)
    await writeResult(first, result(cells[0]!.key))
    const failure = { code: 'internal', message: 'm', remedy: 'r' }
    await writeResult(first, result(cells[1]!.key, { status: 'failed', error: failure }))
    const second = await openSweepFolder(sweeps, cellsOf('0..5'), false)
    expect(second).not.toBe(first)
    expect(await borrowResult(second, cells[0]!.key)).toEqual(result(cells[0]!.key))
    expect(await borrowResult(second, cells[1]!.key)).toBeUndefined()
    expect(await borrowResult(second, cells[2]!.key)).toBeUndefined()
  })
})
