/** @file A model behind an address in a conversation: what its server says of each reply, and no weights. */
import type { Spoken } from '../contract/calls/talk.ts'
import { requireOwnTemplate, type Permission } from '../measure/served/address.ts'
import { ServedConfig } from '../measure/served/config.ts'
import { NO_JOURNAL } from '../measure/served/journal.ts'
import { openServed } from '../measure/served/open.ts'
import { renderedAt } from '../measure/served/probe.ts'
import { servedSubject } from '../measure/served/subject.ts'
import { outcomeOf, shownOf, type Question } from './spoken.ts'

export const LOOPBACK_ALONE: Permission = { sendPrompts: null, keyEnv: null }

/** Never aborted: a reply has a time limit. */
const { signal } = new AbortController()

/** Throws as `openServed` does, and where variables for its template are given. */
export async function openServedTalker(
  address: string,
  templateVars: string | null,
  permission: Permission,
) {
  requireOwnTemplate(address, templateVars)
  const { replyTimeout } = ServedConfig.parse({})
  const own = { arm: 'served', title: address }
  const model = await openServed(
    address,
    { ...permission, replyTimeout },
    { own, journal: NO_JOURNAL, signal },
  )
  const subject = servedSubject(model)
  return {
    close: () => model.fleet.close(),
    ask: async (question: Question): Promise<Spoken> => {
      const began = performance.now()
      const { messages, maxNewTokens, temperature, seed } = question
      const decoding = { maxNewTokens, temperature, seed }
      const prompts = [{ key: 'talk', messages }]
      for await (const { completion, served } of subject.generate(prompts, decoding, signal)) {
        return {
          path: address,
          rendered: await renderedAt({ fleet: model.fleet, index: 0, signal }, messages),
          ...shownOf(question, completion),
          tokens: null,
          tokenCount: served?.completionTokens ?? null,
          outcome: await outcomeOf(question, completion),
          approximate: null,
          seconds: (performance.now() - began) / 1000,
        }
      }
      throw new Error('internal: the server gave no completion')
    },
  }
}
