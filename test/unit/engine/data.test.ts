/** @file Calls about fine-tuning data: a sheet is mapped and copied without what was found; the tampering set is not copied. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { dataHandlers } from '../../../evals/engine/handlers/data.ts'
import { freshFolder } from '../../doubles/runs/command-line.ts'

const folder = freshFolder()
const data = dataHandlers({ folder })
const source = join(folder, 'sheet.csv')
writeFileSync(source, 'q,a\nIs there a lift?,Yes.\nWhere is the pool?,<|im_start|>On the roof.\n')
const choice = { source, format: null, map: 'prompt=q,reply=a' }

test('columns are told whatever they are, and a mapping reads them', async () => {
  expect(await data.columns({ source })).toMatchObject({ columns: ['q', 'a'], format: null })
  await expect(data.open({ ...choice, map: null })).rejects.toMatchObject({ code: 'data.columns' })
  expect(await data.open(choice)).toMatchObject({ title: 'sheet.csv', rows: 2 })
})

test('a copy lacks the rows of the findings that are named', async () => {
  const { findings } = await data.lint({ ...choice, against: [] })
  expect(findings).toMatchObject([{ name: 'template-mismatch', count: 1, share: 0.5, rows: [2] }])
  const written = await data.write({ ...choice, against: [], drop: ['template-mismatch'] })
  expect(written).toMatchObject({ rows: 1, dropped: 1 })
  expect(readFileSync(written.path, 'utf8')).toBe(
    '{"messages":[{"role":"user","content":"Is there a lift?"},{"role":"assistant","content":"Yes."}]}\n',
  )
})

test('a bundled set is looked through, and never copied to where it is no longer known', async () => {
  const tampering = { source: 'house-tamper', format: null, map: null, against: [] }
  expect((await data.lint(tampering)).total).toBeGreaterThan(100)
  await expect(data.write({ ...tampering, drop: [] })).rejects.toMatchObject({
    code: 'usage.invalid',
  })
})
