/** @file Conversation: one pair of models stays in memory until another pair is asked. */
import type { EngineHandlers } from '../../contract/api.ts'
import { createDeclined } from '../declined.ts'
import { keepSendings, type Home } from '../home.ts'
import { openTalkers, type Talkers } from '../talk.ts'

export function talkHandlers(home: Home): EngineHandlers['talk'] {
  const declined = createDeclined(home)
  const pair = createPair()
  /** One call after the other, so that no pair is closed while it answers. */
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(action: () => Promise<T>): Promise<T> => {
    const next = last.then(action, action)
    last = next.catch(() => undefined)
    return next
  }
  return {
    ask: ({ model, candidate, keyEnv, sendPrompts, ...given }) =>
      inTurn(async () => {
        const { templateVars, basePrecision, cachePrecision, ...asked } = given
        const how = { templateVars, basePrecision, cachePrecision }
        const question = { ...asked, isWithheld: await declined.has(asked.messages) }
        const permission = { keyEnv, sendPrompts }
        keepSendings(home, [model, ...(candidate === null ? [] : [candidate])], sendPrompts)
        const { base, candidate: other } = await pair.open(model, candidate, how, permission)
        return { base: await base(question), candidate: other && (await other(question)) }
      }),
    close: () =>
      inTurn(async () => {
        await pair.close()
        return null
      }),
  }
}

/** At most one pair of models in memory. */
function createPair() {
  let held: { key: string; talkers: Promise<Talkers> } | undefined
  const close = async () => {
    const { talkers } = held ?? {}
    held = undefined
    await talkers?.then(
      (each) => each.close(),
      () => undefined,
    )
  }
  return {
    close,
    async open(...asked: Parameters<typeof openTalkers>): Promise<Talkers> {
      const key = JSON.stringify(asked)
      if (held?.key !== key) {
        await close()
        held = { key, talkers: openTalkers(...asked) }
      }
      return held.talkers.catch(async (error: unknown) => {
        await close()
        throw error
      })
    },
  }
}
