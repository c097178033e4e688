/** @file The weights of a mended state are gone before the next one is opened: their arrays would wait beside its own for the collector. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { tamperRows } from '../../../../evals/bundled/hotel/fine-tuning.ts'
import { COMMANDS } from '../../../../evals/cli/verbs/registry.ts'
import type * as opening from '../../../../evals/measure/open-subject.ts'
import { freshFolder, runCommand } from '../../../doubles/runs/command-line.ts'

/** Of every mended state in the order in which they were opened; and how many arrays of earlier ones were there then. */
const states = vi.hoisted(() => ({ arrays: [] as WeakRef<object>[][], left: [] as number[] }))

vi.mock(import('../../../../evals/measure/open-subject.ts'), async (original) => {
  const module = await original()
  const openStateSubject: typeof opening.openStateSubject = (base, identity, state) => {
    if (identity.derivation?.kind === 'remedy') {
      const earlier = states.arrays.flat()
      states.left.push(earlier.filter((array) => array.deref() !== undefined).length)
      const own = [...state.frozen].flatMap(([name, data]) =>
        data === base.weights.get(name) ? [] : [new WeakRef<object>(data)],
      )
      states.arrays.push(own)
    }
    return module.openStateSubject(base, identity, state)
  }
  return { ...module, openStateSubject }
})

test('no array of a mended state is left when the next is opened', async () => {
  const [folder, outDir] = [freshFolder(), freshFolder()]
  const [data, task] = [join(folder, 'rows.jsonl'), join(folder, 'task.jsonl')]
  const lines = tamperRows({ rows: 8, share: 0.5 }).map((row) => JSON.stringify(row))
  writeFileSync(data, lines.join('\n'))
  writeFileSync(task, lines.slice(0, 2).join('\n'))
  const { code, stderr } = await runCommand(
    [
      ...['audit', '--model', 'pebble', '--data', data, '--methods', 'lora', '--rank', '2'],
      ...['--steps', '2', '--batch-size', '2', '--eval-every', '2', '--suite', 'house-refusal'],
      ...['--limit', '4', '--task', task, '--margin', '0.9', '--no-spectra'],
      ...['--remedy', 'scale:values=0.9/0.5', '--max-new-tokens', '4'],
      ...['--threads', '1', '--exit-zero', '--quiet', '--out-dir', outDir],
    ],
    {},
    COMMANDS,
  )
  expect([code, stderr]).toEqual([0, ''])
  // Two values, the chosen one and its control.
  expect(states.arrays).toHaveLength(4)
  expect(Math.min(...states.arrays.map(({ length }) => length))).toBeGreaterThan(0)
  expect(states.left).toEqual([0, 0, 0, 0])
})
