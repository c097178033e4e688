/** @file Conversation with a base and a candidate. Models stay in memory between questions; no text is stored. */
import {
  askedOn,
  beginBase,
  identityOf,
  openOwnSession,
  subjectOf,
  type Base,
  type OpeningBase,
} from '../measure/base.ts'
import { isServed, type Permission } from '../measure/served/address.ts'
import { openCandidate } from '../measure/candidate.ts'
import type { Spoken } from '../contract/calls/talk.ts'
import { templateVariablesOf } from '../models/text/template-variables.ts'
import { usageError } from '../errors/touchstone-error.ts'
import { cacheApproximationOf, type CachePrecision } from '../contract/approximate.ts'
import type { SubjectIdentity } from '../contract/rows.ts'
import type { CachedSession } from '../inference/cached-graph.ts'
import { graphFor } from '../inference/sampling.ts'
import { scoreTexts } from '../inference/score.ts'
import { promptText } from '../models/text/prompt-text.ts'
import type { Precision } from '../models/weights/small-weights.ts'
import { weightCacheFolder } from '../models/weights/converted-weights.ts'
import { chooseDevice } from '../runtime/device.ts'
import { outcomeOf, shownOf, type Question } from './spoken.ts'
import { LOOPBACK_ALONE, openServedTalker } from './talk-served.ts'

export interface Talkers {
  readonly base: (question: Question) => Promise<Spoken>
  readonly candidate: ((question: Question) => Promise<Spoken>) | null
  readonly close: () => Promise<void>
}

/** How models are asked. */
interface Asked {
  /** Given to the base's chat template, which the candidate is asked through too. */
  readonly templateVars: string | null
  /** Of the base; a candidate is in float32. */
  readonly basePrecision: Precision
  /** Of both, where they are here. */
  readonly cachePrecision: CachePrecision
}

const PLAIN: Asked = { templateVars: null, basePrecision: 'fp32', cachePrecision: 'float32' }

export async function openTalkers(
  model: string,
  candidate: string | null,
  given: Partial<Asked> = {},
  permission: Permission = LOOPBACK_ALONE,
): Promise<Talkers> {
  const asked = { ...PLAIN, ...given }
  const { templateVars } = asked
  if (isServed(model)) requirePlain(model, asked)
  if (candidate !== null && isServed(candidate)) {
    const { base, close } = await openTalkers(model, null, asked, permission)
    const other = await openServedTalker(candidate, templateVars, permission).catch(
      async (error: unknown) => {
        await close()
        throw error
      },
    )
    return { base, candidate: other.ask, close: async () => (other.close(), close()) }
  }
  if (!isServed(model)) return openHere(model, candidate, asked)
  if (candidate !== null) {
    throw usageError(
      `${model} is served, and ${candidate} would need its weights here.`,
      'Name the address of the candidate, or the folder of the base.',
    )
  }
  const { ask, close } = await openServedTalker(model, templateVars, permission)
  return { base: ask, candidate: null, close: async () => close() }
}

/** Throws where what a server does is asked for otherwise. */
function requirePlain(path: string, { basePrecision, cachePrecision }: Asked): void {
  if (basePrecision !== 'fp32') {
    throw usageError(
      `${path} is served, and its server keeps the weights as it does.`,
      'Leave the base precision as it is, or name the file of the base.',
    )
  }
  if (cachePrecision !== 'float32') {
    throw usageError(
      `${path} is served, and its server keeps keys and values as it does.`,
      'Leave the cache precision as it is, or name the files of the model.',
    )
  }
}

async function openHere(
  model: string,
  candidate: string | null,
  { templateVars, basePrecision, cachePrecision }: Asked,
): Promise<Talkers> {
  const variables = templateVariablesOf(templateVars)
  const cache = { folder: weightCacheFolder() }
  const device = askedOn(chooseDevice('auto'), { cachePrecision })
  const base = await beginBase(model, device, 1, basePrecision, cache, variables)
  try {
    const session = await openOwnSession(base, base.device)
    const other = candidate === null ? null : await openOther(await whole(base), candidate)
    return {
      base: speaker(base, ownIdentity(base), session, model),
      candidate: other && speaker(base, Promise.resolve(other.identity), other.session, candidate!),
      async close() {
        await base.digest.catch(() => undefined)
        await session.release()
        await other?.session.release()
        await base.open.close()
      },
    }
  } catch (error) {
    await base.digest.catch(() => undefined)
    await base.open.close()
    throw error
  }
}

const whole = async (base: OpeningBase): Promise<Base> => ({ ...base, digest: await base.digest })

function ownIdentity(base: OpeningBase): Promise<SubjectIdentity> {
  const named = whole(base).then((each) =>
    identityOf(each, each.open, { arm: 'base', title: 'Base' }),
  )
  named.catch(() => undefined)
  return named
}

async function openOther(base: Base, path: string) {
  const { identity, openSession } = await openCandidate(base, path, 'candidate')
  return { identity, session: await openSession() }
}

/** Never aborted: a question takes seconds. */
const { signal } = new AbortController()

/** The digest of the weights is computed while the graph is opened; an answer waits for both. */
function speaker(
  base: OpeningBase,
  known: Promise<SubjectIdentity>,
  session: CachedSession,
  path: string,
) {
  return async (question: Question): Promise<Spoken> => {
    const began = performance.now()
    const { messages, maxNewTokens, temperature, seed, isWithheld } = question
    const prompt = { key: 'talk', messages }
    const decoding = { maxNewTokens, temperature, seed }
    const [identity] = await Promise.all([known, session.nodes(graphFor(decoding))])
    const subject = subjectOf(base, identity, session)
    for await (const { completion, promptIds } of subject.generate([prompt], decoding, signal)) {
      const { tokenIds } = completion
      const tokens = isWithheld ? null : await spokenTokens(base, session, promptIds, tokenIds)
      return {
        path,
        rendered: await promptText(base.open.template, messages),
        ...shownOf(question, completion),
        tokens,
        tokenCount: tokenIds.length,
        outcome: await outcomeOf(question, completion),
        approximate: cacheApproximationOf(identity) ?? null,
        seconds: (performance.now() - began) / 1000,
      }
    }
    throw new Error('internal: the session gave no completion')
  }
}

async function spokenTokens(
  { open: { tokenizer } }: Pick<Base, 'open'>,
  session: CachedSession,
  promptIds: readonly number[],
  tokenIds: readonly number[],
): Promise<Spoken['tokens']> {
  const texts = [{ key: 'talk', ids: [...promptIds, ...tokenIds], from: promptIds.length }]
  const options = { session, varying: {}, padId: tokenizer.padId, batchSize: 1, signal }
  const [logProbs] = await scoreTexts(texts, options)
  // A character may take several tokens: it belongs to the one that completes it.
  const prefixes = tokenIds.map((_, i) => tokenizer.decode(tokenIds.slice(0, i + 1)))
  return tokenIds.map((_, i) => {
    const [before, after] = [prefixes[i - 1] ?? '', prefixes[i]!]
    return {
      text: after.startsWith(before) ? after.slice(before.length) : after,
      logProb: logProbs![i]!,
    }
  })
}
