/** @file `--suite notes.txt`: perplexity of each model state, stored as metrics; of the text itself nothing is kept. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { prepareTexts, textPathOf } from '../../../evals/measure/perplexity.ts'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import { openStore } from '../../../evals/runs/store/store.ts'
import { freshFolder, runCommand } from '../../doubles/runs/command-line.ts'
import { TEXT } from '../../doubles/models/lm-eval-files.ts'

test('an evaluation of a text alone stores three perplexities, the file’s digest, and no word of it', async () => {
  const folder = freshFolder()
  const path = join(freshFolder(), 'Hotel notes.txt')
  writeFileSync(path, TEXT)
  const words = ['--suite', path, '--text-window', '64', '--out-dir', folder, '--quiet']
  const { code, stderr } = await runCommand(['eval', '--model', 'pebble', ...words], {}, COMMANDS)
  expect(code, stderr).toBe(0)
  const store = openStore(join(folder, 'touchstone.db'))
  const [run] = store.runs()
  const events = store.events(run!.id)
  store.close()
  const metrics = new Map(
    events.flatMap((event) =>
      event.type === 'metric' && event.row.name.startsWith('perplexity/')
        ? [[event.row.name, event.row.value] as const]
        : [],
    ),
  )
  const name = 'perplexity/perplexity-hotel-notes'
  expect([...metrics.keys()]).toEqual([`${name}/word`, `${name}/byte`, `${name}/bits-per-byte`])
  const bits = metrics.get(`${name}/bits-per-byte`)!
  expect(metrics.get(`${name}/byte`)).toBeCloseTo(2 ** bits, 9)
  const [bytes, count] = [Buffer.byteLength(TEXT), TEXT.split(/\s+/).length]
  expect(metrics.get(`${name}/word`)! / 2 ** ((bits * bytes) / count)).toBeCloseTo(1, 9)
  const artifact = events.find((event) => event.type === 'artifact')
  expect(artifact).toMatchObject({ row: { role: 'text of perplexity-hotel-notes', bytes } })
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((file) => join(folder, file))
    .filter((file) => statSync(file).isFile())
  for (const file of files) expect(readFileSync(file).includes('“chair”'), file).toBe(false)
})

describe('texts of a suite', () => {
  test.each([
    ['notes.txt', 'notes.txt'],
    ['perplexity=notes.md', 'notes.md'],
    ['notes.md', undefined],
    ['house', undefined],
    ['xstest=a.csv', undefined],
  ])('%s', (entry, path) => {
    expect(textPathOf(entry)).toBe(path)
  })

  test('two of one name are refused', async () => {
    const paths = ['a', 'b'].map(() => join(freshFolder(), 'notes.txt'))
    for (const path of paths) writeFileSync(path, 'The pool opens.')
    await expect(prepareTexts({ suite: paths, textWindow: 64 })).rejects.toThrow('both named')
  })
})
