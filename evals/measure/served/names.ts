/**
 * @file Whether a server that is to serve several models heeds their names. Some answer with the one model that they have whatever
 * name they are asked for, and give that name back: a fine-tune that was never loaded would be its base, and lose nothing.
 */
import type { Message } from '../../contract/rows.ts'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { Failure } from '../../judges/transport.ts'
import { chatRequest, watchOver } from './question.ts'
import type { ServedModel } from './subject.ts'

const NOBODY = 'touchstone-no-such-model'
const GREETING: Message = { role: 'user', content: 'When is breakfast?' }

interface Place {
  readonly address: string
  readonly index: number
  readonly of: ServedModel
}

/** Throws `served.unreliable` where an address of two models answers for one that it cannot have. */
export async function requireNamesHeeded(
  models: readonly ServedModel[],
  signal: AbortSignal,
): Promise<void> {
  const places = models.flatMap((of) =>
    of.fleet.addresses.map((address, index): Place => ({ address, index, of })),
  )
  for (const [address, shared] of Map.groupBy(places, (place) => place.address)) {
    if (isToldApart(shared) || !(await answersForNobody(shared[0]!, signal))) continue
    throw new TouchstoneError('served.unreliable', {
      address,
      why: `it answers for whatever model it is asked for, so that nothing tells ${shared.map(({ of }) => `"${of.facts.model}"`).join(' and ')} apart`,
      remedy: 'Serve each model by a server of its own, at an address of its own.',
    })
  }
}

/** By fingerprints; or it is one model by the user's own words. */
function isToldApart(shared: readonly Place[]): boolean {
  const names = new Set(shared.map(({ of }) => of.facts.model))
  const prints = new Set(shared.map(({ of }) => of.watch.seen?.fingerprint ?? null))
  return names.size === 1 || (!prints.has(null) && prints.size === names.size)
}

/** A server that says the name of the model that did answer is watched at each reply. */
async function answersForNobody({ index, of }: Place, signal: AbortSignal): Promise<boolean> {
  const drawing = { maxTokens: 1, temperature: 0, seed: 0, logProbs: false }
  const question = { what: 'a question of no model', messages: [GREETING], ...drawing }
  try {
    await of.fleet.askAt(index, chatRequest(NOBODY, question, watchOver()), signal)
    return true
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof Failure || error instanceof TouchstoneError) return false
    throw error
  }
}
