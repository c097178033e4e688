/** @file The cluster of a prompt goes with its reply into every format, and is read back; foreign logs name it in several ways. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { buildResults } from '../../../evals/findings/results.ts'
import { FORMATS, lmEvalFolders, type Exported } from '../../../evals/interchange/formats.ts'
import { clusterIn } from '../../../evals/interchange/imported.ts'
import { importRuns } from '../../../evals/interchange/import.ts'
import { freshFolder } from '../../doubles/runs/command-line.ts'
import { smallAudit } from '../../doubles/runs/stored-audit.ts'

const plain = smallAudit()
const clusterOf = (sampleId: string) => `template ${sampleId.at(-1)}`
const rows = {
  ...plain,
  replies: plain.replies.map((row) => ({ ...row, cluster: clusterOf(row.sampleId) })),
}

function write(exported: readonly Exported[], stem: string): string[] {
  return exported.map(({ name, parts }) => {
    const path = `${stem}${name}`
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, Buffer.concat(parts.map((part) => Buffer.from(part))))
    return path
  })
}

async function filesOf(name: string): Promise<string[]> {
  const format = FORMATS.find((each) => each.name === name)!
  return write(await format.write(rows, buildResults(rows)), join(freshFolder(), 'run'))
}

const clustersOf = async (path: string) =>
  new Set((await importRuns(path)).flatMap(({ judged }) => judged.map((row) => row.cluster)))
const expected = new Set(rows.replies.map((row) => row.cluster))

test.each(['csv', 'inspect', 'eee'])('%s', async (name) => {
  const [path] = (await filesOf(name)).filter((each) => !each.endsWith('.jsonl'))
  const found = await clustersOf(path!)
  expect(found.size).toBeGreaterThan(1)
  expect([...found].filter((cluster) => !expected.has(cluster!))).toEqual([])
})

test('lm-eval', async () => {
  const folder = freshFolder()
  write(lmEvalFolders(rows), `${folder}/`)
  const found = await clustersOf(join(folder, 'lora-s1-40'))
  expect(found.size).toBeGreaterThan(1)
  expect([...found].filter((cluster) => !expected.has(cluster!))).toEqual([])
})

test.each([
  [{ cluster: 'a' }, { cluster: 'a' }],
  [{ template_id: 7 }, { cluster: '7', isClusterImplied: true }],
  [
    { document_id: 'd', conversation_id: 'c' },
    { cluster: 'd', isClusterImplied: true },
  ],
  [{ cluster: null, category: 'x' }, {}],
])('%o names %o', (data, found) => {
  expect(clusterIn(data)).toEqual(found)
})
