/** @file A classifier in the window: added to the list, audited from the form, and looked at from every side. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { writeTinyEncoder } from '../doubles/models/tiny-encoder.ts'
import { sharedWorkbench } from './workbench.ts'

const bench = sharedWorkbench()
const AUDIT_MS = 120_000

const rows = [
  ...['where is the pool', 'when is breakfast', 'where is it'].map((text) => [text, 'question']),
  ...['it was late', 'the room was dirty', 'breakfast was cold'].map((text) => [text, 'complaint']),
]
const modelPath = () => join(bench.home, 'classifier')
const dataPath = () => join(bench.home, 'labelled.csv')

test('it is taken into the list, with its classes and without a template', async () => {
  const { page, go, inspect } = bench
  await writeTinyEncoder(modelPath(), { classes: ['complaint', 'question'] })
  writeFileSync(dataPath(), ['text,label', ...rows.map((row) => row.join(','))].join('\n'))
  await go('/models')
  await page.getByRole('button', { name: 'Add a model…' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Folder or file').fill(modelPath())
  await dialog.getByRole('button', { name: 'Choose this path' }).click()
  const card = page.getByRole('article', { name: 'classifier' })
  await card.getByText('complaint, question').waitFor()
  expect(await card.innerText()).not.toMatch(/template/iu)
  await inspect('classifier-model')
})

test(
  'it is audited from the form, and the verdict is on its accuracy',
  async () => {
    const { page, go, inspect } = bench
    await go('/fine-tune')
    await page.getByLabel('Model', { exact: true }).fill(modelPath())
    await page.getByLabel('Data', { exact: true }).fill(dataPath())
    await page.getByLabel('Suite', { exact: true }).fill(dataPath())
    await page.getByLabel('Steps', { exact: true }).fill('12')
    await page.getByLabel('Learning rate', { exact: true }).fill('0.01')
    await page.getByRole('button', { name: 'Preview plan' }).click()
    await page.getByText('estimated on this machine').waitFor()
    await page.getByRole('button', { name: 'Start the audit' }).click()
    await page.getByRole('link', { name: 'Verdict' }).click({ timeout: AUDIT_MS })
    await page.getByRole('region', { name: /FAIL|PASS|INCONCLUSIVE/u }).waitFor()
    const before = page.getByRole('region', { name: 'Before and after' }).first()
    expect(await before.innerText()).toMatch(/Texts and their classes[^]*\t6$/mu)
    await page.getByText('names a class and writes nothing').waitFor()
    await inspect('classifier-verdict')
  },
  2 * AUDIT_MS,
)

test('its answers are classes, its spectra those of its blocks, and nothing complains', async () => {
  const { page, go, complaints } = bench
  await page.getByRole('region', { name: 'Before and after' }).getByRole('link').first().click()
  const grid = page.getByRole('grid', { name: 'Prompts before and after' })
  await grid.getByRole('row').nth(1).waitFor()
  await page.getByLabel('Flips only').uncheck()
  await grid.getByText('where is the pool').first().waitFor()
  expect(await grid.innerText()).toContain('where is the pool')
  await go('/cause?measure=intruders')
  await page.getByText(/\d+ intruders of \d+ directions/u).waitFor()
  expect(complaints).toEqual([])
})
