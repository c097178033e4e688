/** @file The licence that a benchmark's file or a model states goes along with what is made of it. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { buildResults } from '../../../evals/findings/results.ts'
import { FORMATS, lmEvalFolders } from '../../../evals/interchange/formats.ts'
import { prepareBenchmarks } from '../../../evals/measure/benchmark-sources.ts'
import { benchmarkRow } from '../../../evals/measure/evaluate.ts'
import { tokenizerFilesOf, writeTextFiles } from '../../../evals/models/formats/write-hf-folder.ts'
import { sourcesOf } from '../../../evals/models/model-sources.ts'
import { freshFolder } from '../../doubles/runs/command-line.ts'
import { smallAudit } from '../../doubles/runs/stored-audit.ts'
import { writeTinyCheckpoint } from '../../doubles/models/tiny-checkpoint.ts'

const LICENCE = 'CC-BY-NC-4.0'

test('a benchmark of a file with a licence column has it in its row, and others have none', async () => {
  const path = join(freshFolder(), 'own.csv')
  writeFileSync(
    path,
    `prompt,expected,license\nMay I swim?,answer,${LICENCE}\nMay I?,refuse,${LICENCE}\n`,
  )
  const choice = { limit: null, map: null, maxNewTokens: null }
  const own = await prepareBenchmarks({ ...choice, suite: [path] })
  expect(own.map((each) => benchmarkRow(each).licences)).toEqual(own.map(() => [LICENCE]))
  const [bundled] = await prepareBenchmarks({ ...choice, suite: ['general'] })
  expect(benchmarkRow(bundled!)).not.toHaveProperty('licences')
})

const audit = smallAudit()
const rows = {
  ...audit,
  benchmarks: audit.benchmarks.map((row) => ({ ...row, licences: [LICENCE] })),
}
const textOf = (parts: Iterable<string | Uint8Array>) =>
  Buffer.concat(Array.from(parts, (part) => Buffer.from(part))).toString('utf8')

test('every format of other tools with a place for it holds it', async () => {
  const results = buildResults(rows)
  const json = FORMATS.find(({ name }) => name === 'eee')!
  const records = (await json.write(rows, results)).filter(({ name }) => name.endsWith('.json'))
  expect(records.length).toBeGreaterThan(0)
  for (const { parts } of records) expect(textOf(parts)).toContain(LICENCE)
  const folders = lmEvalFolders(rows).flat()
  const told = folders.filter(({ name }) => /results.*\.json$/u.test(name))
  expect(told.length).toBeGreaterThan(0)
  for (const { parts } of told) expect(textOf(parts)).toContain(LICENCE)
  for (const name of ['csv', 'rates', 'junit']) {
    const format = FORMATS.find((each) => each.name === name)!
    const [file] = await format.write(rows, results)
    expect(textOf(file!.parts), name).toContain(LICENCE)
  }
})

test('a model that is written holds the licence of its source, by name and by text', async () => {
  const source = await writeTinyCheckpoint(join(freshFolder(), 'source'))
  writeFileSync(join(source, 'README.md'), '---\nlicense: llama3.2\n---\n# A card\n')
  writeFileSync(join(source, 'LICENSE'), 'The terms.')
  const target = freshFolder()
  const tokenizerFiles = await tokenizerFilesOf(source)
  await writeTextFiles(target, { config: {}, tokenizerFiles, storage: 'F32' })
  writeFileSync(join(target, 'config.json'), readFileSync(join(source, 'config.json')))
  expect(await (await sourcesOf(target)).licence()).toBe('llama3.2')
  expect(readFileSync(join(target, 'LICENSE'), 'utf8')).toBe('The terms.')
  expect(readFileSync(join(target, 'README.md'), 'utf8')).not.toContain('A card')
})
