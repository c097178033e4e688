/** @file The weights of a mended state are gone before the next one is opened: their arrays would wait beside its own for the collector. */
import { expect, test, vi } from 'vitest'
import type * as opening from '../../../../evals/measure/open-subject.ts'
import { mendedAudit } from '../../../doubles/runs/mended-audit.ts'

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
  const flags = ['--max-new-tokens', '4']
  const { code, stderr } = await mendedAudit('scale:values=0.9/0.5', ...flags)
  expect([code, stderr]).toEqual([0, ''])
  // Two values, the chosen one and its control.
  expect(states.arrays).toHaveLength(4)
  expect(Math.min(...states.arrays.map(({ length }) => length))).toBeGreaterThan(0)
  expect(states.left).toEqual([0, 0, 0, 0])
})
