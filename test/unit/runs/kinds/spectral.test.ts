import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'

import { inOptions, spectralVerb } from '../../../../evals/runs/kinds/spectral.ts'
import { jobFields } from '../../../../evals/cli/job-options.ts'
import { writePeftFolder } from '../../../../evals/models/formats/peft-folder.ts'

const { common, own, methods } = jobFields(spectralVerb.schema, true)
const written = (argv: readonly string[]) => inOptions(argv, [...common, ...own, ...methods])

const PEFT = { rank: 1, alpha: 1, targetModules: ['up_proj'] }

describe('touchstone spectral A B', () => {
  test.each([
    [
      ['a', 'b'],
      ['--model=a', '--candidate=b'],
    ],
    [
      ['a', 'b', 'c', '--json'],
      ['--model=a', '--candidate=b', '--candidate=c', '--json=true'],
    ],
    [
      ['--out-dir', 'o', 'a', '--no-cache', 'b'],
      ['--model=a', '--candidate=b', '--out-dir=o', '--cache=false'],
    ],
    [
      ['a', '--candidate', 'b', '--candidate=c'],
      ['--model=a', '--candidate=b', '--candidate=c'],
    ],
    [
      ['a', '--no-cache-dir'],
      ['--model=a', '--no-cache-dir'],
    ],
    [
      ['a', '--', '-b'],
      ['--model=a', '--candidate=-b'],
    ],
  ])('%j is %j', async (argv, wanted) => expect(await written(argv)).toEqual(wanted))

  test('without positionals nothing is touched', async () => {
    const argv = ['--model', 'a', '--candidate', 'b', '--null-draws', '9']
    expect(await written(argv)).toEqual(argv)
  })

  test('what is said twice is refused', async () => {
    await expect(written(['a', '--model', 'b'])).rejects.toThrow('"a" stands beside --model')
    await expect(written(['a', 'b', '--candidate', 'c'])).rejects.toThrow(
      '"b" stands beside --candidate',
    )
  })

  describe('where A is an adapter', () => {
    const adapter = mkdtempSync(join(tmpdir(), 'touchstone-spectral-'))
    afterAll(() => rmSync(adapter, { recursive: true }))
    const save = (base: string) =>
      writePeftFolder(adapter, {
        config: { ...PEFT, base },
        tensors: new Map([
          [
            'model.layers.0.mlp.up_proj.lora_A.weight',
            { shape: [1, 2], data: Float32Array.of(1, 2) },
          ],
          [
            'model.layers.0.mlp.up_proj.lora_B.weight',
            { shape: [2, 1], data: Float32Array.of(1, 2) },
          ],
        ]),
      })

    test('it is compared with, and its model is the one it was trained on', async () => {
      await save('pebble')
      expect(await written([adapter, 'b'])).toEqual([
        `--against=${adapter}`,
        '--model=pebble',
        '--candidate=b',
      ])
    })

    test('--model wins; a model that is not here must be named', async () => {
      await save('/nowhere/at/all')
      expect(await written([adapter, 'b', '--model', 'm'])).toEqual([
        `--against=${adapter}`,
        '--candidate=b',
        '--model=m',
      ])
      await expect(written([adapter, 'b'])).rejects.toThrow('is not at that place here')
      await expect(written([adapter, '--against', 'x'])).rejects.toThrow('beside --against')
    })
  })
})
