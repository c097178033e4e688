/** @file A training that makes room for the state that is asked goes on with the same bits. */
import { expect, test } from 'vitest'
import { openTiny } from '../../../doubles/training/tiny-training.ts'

test.each(['lora', 'full', 'pissa'])(
  '%s rests at every step and ends as it does awake',
  async (method) => {
    const awake = await openTiny({ method })
    const plain = { ...awake.fresh, parameters: awake.fresh.parameters.slice() }
    const steps = await awake.run(plain)
    const resting = await openTiny({ method })
    let rests = 0
    for (let step = 1; step <= steps.length; step++) {
      const [report] = await resting.run(resting.fresh, step)
      expect(report).toEqual(steps[step - 1])
      await resting.session.rest!()
      await resting.session.rest!()
      rests++
    }
    expect(rests).toBe(steps.length)
    expect(resting.fresh.parameters).toEqual(plain.parameters)
    await awake.session.release()
    await resting.session.release()
  },
)

test('the base’s weights can be read while it rests and after its end', async () => {
  const { session } = await openTiny({ method: 'lora' })
  const { name } = session.layout.sites[0]!
  const before = session.layout.weight(`${name}.weight`).slice()
  await session.rest!()
  expect(session.layout.weight(`${name}.weight`)).toEqual(before)
  await session.release()
  expect(session.layout.weight(`${name}.weight`)).toEqual(before)
})
