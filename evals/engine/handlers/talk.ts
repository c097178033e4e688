/** @file Talking: one pair of models is held in memory; another pair takes its place. */
import type { EngineHandlers } from '../../contract/api.ts'
import { createDeclined } from '../declined.ts'
import type { Home } from '../home.ts'
import { openTalkers, type Talkers } from '../talk.ts'

export function talkHandlers(home: Home): EngineHandlers['talk'] {
  const declined = createDeclined(home)
  let held: { key: string; talkers: Promise<Talkers> } | undefined
  /** One question after the other: a pair is not closed under another's answer. */
  let last: Promise<unknown> = Promise.resolve()
  const letGo = async () => {
    const { talkers } = held ?? {}
    held = undefined
    await talkers?.then(
      (each) => each.close(),
      () => undefined,
    )
  }
  const hold = async (model: string, candidate: string | null): Promise<Talkers> => {
    const key = JSON.stringify([model, candidate])
    if (held?.key !== key) {
      await letGo()
      held = { key, talkers: openTalkers(model, candidate) }
    }
    return held.talkers.catch(async (error: unknown) => {
      await letGo()
      throw error
    })
  }
  const inTurn = <T>(action: () => Promise<T>): Promise<T> => {
    const next = last.then(action, action)
    last = next.catch(() => undefined)
    return next
  }
  return {
    ask: ({ model, candidate, ...asked }) =>
      inTurn(async () => {
        const question = { ...asked, isWithheld: await declined.has(asked.messages) }
        const { base, candidate: other } = await hold(model, candidate)
        return { base: await base(question), candidate: other && (await other(question)) }
      }),
    close: () =>
      inTurn(async () => {
        await letGo()
        return null
      }),
  }
}
