/** @file Contexts from a file: what is read, and what is refused with its place. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { contextsOf } from '../../../../evals/benchmarks/contexts/context-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'touchstone-contexts-'))

function fileOf(text: string, name = 'contexts.yaml'): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

test('a context combines kinds, and its defaults are filled in', async () => {
  const path = fileOf(`
contexts:
  - name: night
    title: At night
    roles: [refusal]
    system: You answer at night.
    rewrite: lower-case
    sampling: { temperature: 0.5 }
`)
  expect(await contextsOf([path])).toEqual([
    {
      name: 'night',
      title: 'At night',
      roles: ['refusal'],
      system: 'You answer at night.',
      rewrite: 'lower-case',
      sampling: { temperature: 0.5, samples: 1, seed: 0 },
    },
  ])
})

test.each([
  ['contexts: []', /contexts: Too small/],
  ['contexts: [{name: night}]', /contexts\.0: give one of .*system/],
  ['contexts: [{name: Night, system: x}]', /contexts\.0\.name: .*lower-case/],
  ['contexts: [{name: night, sytem: x}]', /nothing is called "sytem" here; did you mean system\?/],
  ['contexts: [{name: night, sampling: {temperature: 0}}]', /contexts\.0\.sampling\.temperature/],
  ['contexts: [{name: night, training: {shots: 3}}]', /give "wrap" or "rows"/],
  ['contexts: &a [*a]', /alias/],
])('%s is refused', async (text, why) => {
  await expect(contextsOf([fileOf(text)])).rejects.toThrow(why)
})

test('two different contexts of one name are refused, and an unknown name has near ones', async () => {
  const path = fileOf('contexts: [{name: assistant, system: Another.}]', 'other.yaml')
  await expect(contextsOf(['assistant', path])).rejects.toThrow(/two different contexts/)
  await expect(contextsOf(['deploiment'])).rejects.toMatchObject({ code: 'usage.unknown-name' })
})
