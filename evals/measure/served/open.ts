/** @file Opens a served model: its addresses tried out and its capabilities found, with nothing asked of a host that may not be. */
import type { SubjectIdentity } from '../../contract/rows.ts'
import type { Capabilities } from '../../contract/subjects/served.ts'
import { Failure, Untrusted } from '../../judges/transport.ts'
import { permittedKey, refused, servedName } from './address.ts'
import { openFleet, patienceOf, type Fleet } from './fleet.ts'
import type { Journal } from './journal.ts'
import { modelName, modelsAt, probe } from './probe.ts'
import { watchOver, type Answerer } from './question.ts'
import type { ServedModel } from './subject.ts'
import type { ServedConfig } from './config.ts'

type Asking = Pick<ServedConfig, 'sendPrompts' | 'keyEnv' | 'replyTimeout'>

interface Opening {
  readonly own: Pick<SubjectIdentity, 'arm' | 'title'>
  readonly journal: Journal
  /** Who answered in an earlier attempt at the same run. */
  readonly known?: Answerer | undefined
  readonly signal: AbortSignal
}

/** Throws `served.address` where it may not or cannot be asked; the caller closes its fleet. */
export async function openServed(
  name: string,
  asking: Asking,
  { own, journal, known, signal }: Opening,
): Promise<ServedModel> {
  const { urls, model: asked } = servedName(name)
  const key = permittedKey(name, asking)
  const fleet = openFleet(urls, key, patienceOf(asking.replyTimeout))
  try {
    const watch = watchOver(known)
    const found: { model: string; capabilities: Capabilities }[] = []
    for (const index of urls.keys())
      found.push(await tryOut({ fleet, index, asked, watch, signal }))
    const { model } = found[0]!
    const capabilities = found.map((each) => each.capabilities).reduce(shared)
    const { model: answersAs = null, fingerprint = null } = watch.seen ?? {}
    const who = { model, answersAs, fingerprint }
    const facts = { addresses: [...fleet.addresses], ...who, capabilities, leftOut: [] }
    return { identity: identityOf(name, own, facts), facts, fleet, watch, journal }
  } catch (error) {
    fleet.close()
    throw error
  }
}

interface TryingOut {
  readonly fleet: Fleet
  readonly index: number
  readonly asked: string | null
  readonly watch: ReturnType<typeof watchOver>
  readonly signal: AbortSignal
}

async function tryOut({ asked, ...at }: TryingOut) {
  const address = at.fleet.addresses[at.index]!
  try {
    let failure: Failure | undefined
    const listed = await modelsAt(at, (why) => (failure = why))
    const names = listed?.map(({ id }) => id) ?? null
    const model = modelName(asked, { address, listed: names, failure })
    return { model, capabilities: await probe({ ...at, model }) }
  } catch (error) {
    at.signal.throwIfAborted()
    if (!(error instanceof Failure)) throw error
    const remedy = error instanceof Untrusted ? CERTIFICATE_REMEDY : REMEDY
    throw refused(address, `a first question was not answered (${error.reason})`, remedy)
  }
}

const CERTIFICATE_REMEDY =
  'Name the file of the authority that signed it in NODE_EXTRA_CA_CERTS, or renew the certificate.'

const REMEDY = 'See that a server runs there, and that the address ends before /chat/completions.'

/** What both can be asked. */
const shared = (a: Capabilities, b: Capabilities): Capabilities => ({
  chat: a.chat && b.chat,
  completions: a.completions && b.completions,
  replyLogProbs: a.replyLogProbs && b.replyLogProbs,
  givenLogProbs: a.givenLogProbs === b.givenLogProbs ? a.givenLogProbs : null,
  seeds: a.seeds === b.seeds ? a.seeds : false,
  tokenIds: a.tokenIds && b.tokenIds,
  usage: a.usage && b.usage,
  systemRole: a.systemRole && b.systemRole,
  template: a.template && b.template,
  contextLength: a.contextLength === b.contextLength ? a.contextLength : null,
  models: a.models,
  reasoning: a.reasoning ?? b.reasoning,
})

/** Nothing says which weights, tokenizer and template are behind an address. */
function identityOf(
  path: string,
  own: Pick<SubjectIdentity, 'arm' | 'title'>,
  served: NonNullable<SubjectIdentity['served']>,
): SubjectIdentity {
  return {
    ...own,
    seed: 0,
    path,
    method: null,
    weightsDigest: '',
    adapterDigest: null,
    tokenizerDigest: '',
    templateDigest: '',
    parameters: 0,
    trainableParameters: 0,
    ...(served.capabilities.reasoning !== null && { thinking: 'on' as const }),
    served,
  }
}
