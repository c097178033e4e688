/** @file What leaves the house: every format of a stored audit, and that no reply that is kept apart is in any of it. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { inflateRawSync } from 'node:zlib'
import { beforeAll, describe, expect, test } from 'vitest'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import { EXTENSIONS } from '../../../evals/runs/outputs.ts'
import { FORMATS, formatOf } from '../../../evals/interchange/formats.ts'
import { measurementsOf, WITHHELD } from '../../../evals/interchange/measured.ts'
import { parseYaml } from '../../../evals/tables/yaml.ts'
import { openZip } from '../../../evals/interchange/zip-read.ts'
import { ROOT } from '../../doubles/imports.ts'
import { CAPABILITY, plannedRows, REFUSAL } from '../../doubles/rows/audit-rows.ts'
import { freshFolder, runCommand } from '../../doubles/runs/command-line.ts'
import { PLANTED, smallAudit, STORED_RUN, storeAudit } from '../../doubles/runs/stored-audit.ts'

const run = (...argv: string[]) => runCommand(argv, {}, COMMANDS)

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())

/** The text of a file; of an archive, that of every entry. */
async function textOf(path: string): Promise<string> {
  if (!path.endsWith('.eval')) return readFileSync(path, 'utf8')
  const zip = await openZip(path)
  const texts = await Promise.all(zip.names.map((name) => zip.read(name)))
  zip.close()
  return texts.map((bytes) => Buffer.from(bytes).toString('utf8')).join('\n')
}

describe('touchstone export', () => {
  let folder: string
  const out = freshFolder()
  beforeAll(async () => {
    folder = storeAudit()
    // Figures are of sweeps alone.
    const endings = EXTENSIONS.filter((extension) => extension !== '.svg')
    const outputs = endings.flatMap((extension) => ['-o', join(out, `run${extension}`)])
    expect(await run('export', '--out-dir', folder, ...outputs)).toMatchObject({ code: 0 })
    const lmEval = ['--format', 'lm-eval', '-o', join(out, 'lm-eval')]
    expect(await run('export', STORED_RUN, '--out-dir', folder, ...lmEval)).toMatchObject({
      code: 0,
    })
    expect(await run('case', '--out-dir', folder, '--out', join(out, 'case'))).toMatchObject({
      code: 0,
    })
  })

  test('a run that is no sweep has no figure, which is said', async () => {
    const figure = ['-o', join(out, 'run.svg')]
    const refused = await run('export', STORED_RUN, '--out-dir', folder, ...figure)
    expect(refused).toMatchObject({ code: 2, stdout: '' })
    expect(refused.stderr).toContain('This run has no figure')
  })

  test('writes every format, each where its ending says', () => {
    const names = filesIn(out).map((path) => path.slice(out.length + 1))
    for (const { extension } of FORMATS) {
      expect(names.some((name) => name.startsWith('run') && name.endsWith(extension))).toBe(true)
    }
    // A base and two seeds, on three benchmarks.
    expect(names.filter((name) => /^run.*\.eval$/.test(name))).toHaveLength(9)
    expect(names.filter((name) => /^run.*\.eee\.json$/.test(name))).toHaveLength(3)
    expect(names.filter((name) => /^lm-eval.*results_.*\.json$/.test(name))).toHaveLength(3)
    expect(names.filter((name) => /^lm-eval.*samples_.*\.jsonl$/.test(name))).toHaveLength(9)
    expect(names.filter((name) => name.endsWith('.tmp'))).toEqual([])
  })

  test('a model card says what huggingface_hub reads in it', () => {
    const [, front] = readFileSync(join(out, 'run.modelcard.md'), 'utf8').split(/^---\n/mu)
    const card = parseYaml(front!) as {
      base_model: string
      'model-index': { name: string; results: Said[] }[]
    }
    interface Said {
      task: { type: string }
      dataset: { type: string; name: string; revision: string }
      metrics: { type: string; name: string; value: number }[]
    }
    const golden = JSON.parse(
      readFileSync(join(ROOT, 'test/golden/fixtures/model-card.json'), 'utf8'),
    ) as { base_model: string; results: unknown[] }
    expect(card.base_model).toBe(golden.base_model)
    expect(card['model-index'].map(({ name }) => name)).toEqual(['lora (seed 1)', 'lora (seed 2)'])
    const said = card['model-index'].flatMap(({ results }) =>
      results.map(({ task, dataset, metrics: [metric] }) => ({
        task: task.type,
        dataset: [dataset.type, dataset.name, dataset.revision],
        metric: [metric!.type, metric!.name, metric!.value],
      })),
    )
    expect(said).toEqual(golden.results)
  })

  test('holds no sealed text, not even inside an archive', async () => {
    const files = filesIn(out)
    expect(files.length).toBeGreaterThan(30)
    const texts = await Promise.all(files.map(textOf))
    expect(files.filter((_, index) => texts[index]!.includes('zzplantedzz'))).toEqual([])
    // The search would see it where it is.
    expect(readFileSync(join(folder, 'touchstone.db')).includes(PLANTED)).toBe(true)
    expect(texts.filter((text) => text.includes(WITHHELD)).length).toBeGreaterThan(8)
  })

  test('the same run gives the same bytes', async () => {
    const again = freshFolder()
    const outputs = FORMATS.flatMap(({ extension }) => ['-o', join(again, `run${extension}`)])
    await run('export', '--out-dir', folder, ...outputs)
    for (const path of filesIn(again)) {
      expect(readFileSync(path).equals(readFileSync(path.replace(again, out)))).toBe(true)
    }
  })

  test('a format that is not known, a run that is not there and an empty run are said', async () => {
    expect(await run('export', '--out-dir', folder, '-o', 'run.docx')).toMatchObject({ code: 2 })
    expect(await run('export', '--out-dir', folder)).toMatchObject({ code: 2 })
    const unknown = await run('export', 'run-9', '--out-dir', folder, '-o', join(out, 'x.csv'))
    expect(unknown).toMatchObject({ code: 1 })
    expect(unknown.stderr).toContain('run-9')
    const empty = storeAudit({ ...smallAudit(), evaluations: [] })
    const nothing = await run('export', '--out-dir', empty, '-o', join(out, 'x.csv'))
    expect(nothing).toMatchObject({ code: 1 })
    expect(nothing.stderr).toContain('no finished evaluation')
  })

  test('--json says what was written in one line', async () => {
    const file = join(freshFolder(), 'pairs.csv')
    const { stdout } = await run('export', '--out-dir', folder, '-o', file, '--json')
    expect(JSON.parse(stdout)).toEqual({ type: 'export', runId: STORED_RUN, files: [file] })
  })
})

test('a row that holds a text it should not is withheld all the same, and what a judge quoted of it', () => {
  const rows = plannedRows({ benchmarks: [REFUSAL, CAPABILITY], arms: [] })
  const leaky = {
    ...rows,
    replies: rows.replies.map((row) => ({ ...row, text: PLANTED })),
    verdicts: rows.verdicts.map((row) => ({ ...row, reason: PLANTED })),
  }
  const [refusal, capability] = measurementsOf(leaky)
  expect(JSON.stringify(refusal)).not.toContain('zzplantedzz')
  expect(capability!.replies.every(({ completion }) => completion === PLANTED)).toBe(true)
})

test('the ending decides, the longer before the shorter', () => {
  expect(formatOf('a/b.eee.json')?.name).toBe('eee')
  expect(formatOf('b.JUnit.XML')?.name).toBe('junit')
  expect(formatOf('b.json')).toBeUndefined()
  expect(formatOf('b.xml')).toBeUndefined()
})

test('an archive keeps no date and is deflated', async () => {
  const [inspect] = FORMATS
  const rows = plannedRows({ benchmarks: [CAPABILITY], arms: [] })
  const [{ parts, name } = { parts: [], name: '' }] = await inspect!.write(rows, {} as never)
  expect(name).toBe('.eval')
  const bytes = Buffer.concat(parts.map((part) => Buffer.from(part)))
  // Local file header: method at 8, DOS time at 10 and date at 12 (1980-01-01).
  expect([8, 10, 12].map((at) => bytes.readUInt16LE(at))).toEqual([8, 0, 0x21])
  const start = 30 + bytes.readUInt16LE(26) + bytes.readUInt16LE(28)
  expect(JSON.parse(inflateRawSync(bytes.subarray(start)).toString('utf8'))).toMatchObject({
    version: 2,
  })
})
