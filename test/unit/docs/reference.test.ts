/** @file The pages of `docs/reference` say what the registries say. */
import { expect, test } from 'vitest'
import { textOf } from '../../doubles/imports.ts'
import { referencePages } from '../../reference/pages.ts'

test('docs/reference is what npm run docs writes', async () => {
  const pages = await referencePages()
  expect(pages.size).toBe(5)
  for (const [path, text] of pages) expect(textOf(path), path).toBe(text)
})
