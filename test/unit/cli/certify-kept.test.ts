/** @file `touchstone certify --run`: the run's report, window and results say what the command line said, and no verdict changes. */
import { readFileSync } from 'node:fs'
import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import type { Results } from '../../../evals/contract/results.ts'
import { sectionsOf } from '../../../evals/document/registry.ts'
import { freshFolder, runCommand } from '../../doubles/runs/command-line.ts'
import { writeTinyAdapter } from '../../doubles/models/tiny-adapter.ts'
import { writeTinyCheckpoint } from '../../doubles/models/tiny-checkpoint.ts'

const folder = freshFolder()
const at = (name: string) => join(folder, name)
const run = (...argv: string[]) => runCommand(argv, {}, COMMANDS)
const done = async (...argv: string[]) => {
  const { code, stdout, stderr } = await run(...argv)
  expect([0, 100, 101], stderr).toContain(code)
  return stdout
}
const PROMPTS = ['--prompts', 'house-refusal,house-capability', '--limit', '2']
let [model, adapter, right, wrong] = ['', '', '', '']
beforeAll(async () => {
  const shape = { hiddenSize: 32, intermediateSize: 48, layers: 2, tokenizer: 'byte' } as const
  model = await writeTinyCheckpoint(at('base'), shape)
  adapter = await writeTinyAdapter(at('adapter'), model)
  right = at('merged')
  await done('export-model', '--model', model, '--candidate', adapter, '-o', right)
  wrong = at('wrong')
  await cp(right, wrong, { recursive: true })
  const config = JSON.parse(readFileSync(join(wrong, 'config.json'), 'utf8')) as object
  await writeFile(join(wrong, 'config.json'), JSON.stringify({ ...config, rope_theta: 500 }))
  const asked = ['--model', model, '--candidate', adapter, '--limit', '2']
  await done('eval', ...asked, '--suite', 'house', '--out-dir', at('run'))
  await done('eval', '--model', 'pebble', '--limit', '1', '--out-dir', at('other'))
})

/** Of the folder's run, computed again from what is stored. */
async function results(out: string): Promise<Results & { run: { id: string } }> {
  const file = join(freshFolder(), 'results.json')
  await done('report', '--out-dir', at(out), '-o', file)
  return JSON.parse(readFileSync(file, 'utf8')) as Results
}
const certify = async (artefact: string, out: string | null, ...more: string[]) => {
  const kept = out === null ? [] : ['--run', (await results(out)).run.id, '--out-dir', at(out)]
  const named = ['--model', model, '--candidate', adapter, '--artefact', artefact]
  return run('certify', ...named, ...PROMPTS, ...kept, ...more)
}
const linesOf = (stdout: string) =>
  stdout
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('Kept with'))
    .map((line) => line.trim())

describe('kept with the run that measured it', () => {
  test('every line of the command line stands in the report and the window; the verdict is as it was', async () => {
    const before = await results('run')
    const [passed, failed] = [await certify(right, 'run'), await certify(wrong, 'run')]
    expect([passed.code, failed.code], passed.stderr + failed.stderr).toEqual([0, 100])
    const after = await results('run')
    const kept = after.artifacts.flatMap(({ content }) =>
      content?.kind === 'certificate' ? content : [],
    )
    expect(kept.map(({ outcome }) => outcome)).toEqual(['PASS', 'FAIL'])
    expect(kept.map(({ lines }) => lines)).toEqual(
      [passed, failed].map((each) => linesOf(each.stdout)),
    )
    expect(kept.map(({ of }) => of)).toEqual([
      ['candidate:adapter (seed 0)'],
      ['candidate:adapter (seed 0)'],
    ])
    for (const output of ['html', 'window', 'card'] as const) {
      const said = JSON.stringify(sectionsOf(after, output))
      for (const line of linesOf(passed.stdout + failed.stdout))
        expect(said).toContain(JSON.stringify(line).slice(1, -1))
    }
    const { artifacts, limits } = before
    expect({ ...after, artifacts, limits }).toEqual(before)
    const added = after.limits.filter((line) => !limits.includes(line))
    expect(added).toEqual([expect.stringContaining(`refused ${wrong}`)])
    const told = await done('report', '--out-dir', at('run'))
    expect(told).toContain(`FAIL  ${wrong} (F32) for candidate:adapter (seed 0)`)
  })

  test('a run that measured the artefact itself keeps it too', async () => {
    await done('eval', '--model', right, '--limit', '1', '--out-dir', at('shipped'))
    const { code, stderr } = await certify(right, 'shipped')
    expect(code, stderr).toBe(0)
    const { artifacts } = await results('shipped')
    expect(artifacts.map(({ role }) => role)).toContain('certificate of base')
  })
})

test('a run that measured something else keeps none, and says whose it is not', async () => {
  const { code, stdout, stderr } = await certify(right, 'other')
  expect(code).toBe(1)
  expect(stdout).toContain('PASS')
  expect(stderr).toContain('measured neither what was to be certified nor what ships')
  expect(JSON.stringify(await results('other'))).not.toContain('certificate')
})

test('no run is found out before anything is asked; without --run nothing is kept', async () => {
  const named = ['--model', 'nowhere', '--artefact', right, '--run', 'no-such-run']
  const { code, stderr } = await run('certify', ...named, '--out-dir', at('run'))
  expect([code, stderr]).toEqual([1, expect.stringContaining('no-such-run')])
  const before = await results('run')
  expect((await certify(right, null)).stdout).not.toContain('Kept with')
  expect(await results('run')).toEqual(before)
})
