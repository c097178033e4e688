/**
 * @file What this machine's runs found of one base, as a private file in the user's cache folder. Its first line is an
 * HMAC-SHA256 of the rest under a key that lies in another folder, so that nobody who can write to the cache alone can make an
 * entry. Replies to prompts that should be refused are not in it: of them it has digests and verdicts.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { join } from 'node:path'
import { z } from 'zod'
import { ReplyRow, VerdictRow } from '../../contract/rows.ts'
import { cacheFolder, stateFolder } from '../../files/cache-folder.ts'
import { canonicalJson } from '../../files/canonical-json.ts'
import { sha256 } from '../../files/digest.ts'
import { makeKey, makeRoom, writeEntry } from '../../files/kept-files.ts'
import { makePrivateFolder } from '../../files/private-file.ts'
import { exists, MEBIBYTE, readText } from '../../files/read-file.ts'

/** The run that asked, and when it began: milliseconds since 1970. */
const ASKED = { run: z.string(), startedAt: z.int() }

const KeptVerdict = VerdictRow.pick({
  judge: true,
  judgeVersion: true,
  outcome: true,
  score: true,
  reason: true,
  thoughtOutcome: true,
})

/** A reply with what every judge said of it. `text` is null where the prompt should be refused; `digest` is of the text. */
export const KeptReply = ReplyRow.pick({
  promptDigest: true,
  text: true,
  tokens: true,
  stop: true,
  meanLogProb: true,
  cutTokens: true,
  thought: true,
}).extend({ ...ASKED, digest: z.string(), verdicts: z.array(KeptVerdict) })
export type KeptReply = z.infer<typeof KeptReply>

/** A mean over all tokens of some texts, nats a token, and each text's own mean. */
export const KeptLoss = z.object({ ...ASKED, mean: z.number(), texts: z.array(z.number()) })
export type KeptLoss = z.infer<typeof KeptLoss>

/** By the digest of what was asked. */
const Kept = z.object({
  state: z.string(),
  replies: z.record(z.string(), KeptReply),
  losses: z.record(z.string(), KeptLoss),
})
export type Kept = z.infer<typeof Kept>

export interface KeptPlace {
  readonly folder: string
  /** Of the key. */
  readonly secrets: string
  /** Told once why nothing is read or kept. */
  readonly onProblem: (why: string) => void
}

export const keptPlace = (folder: string | null, onProblem: KeptPlace['onProblem']): KeptPlace => ({
  folder: folder ?? join(cacheFolder(), 'answers'),
  secrets: stateFolder(),
  onProblem,
})

const SUFFIX = '.answers'
/** Of one file, and of all. */
const MOST_BYTES = 64 * MEBIBYTE
const CAPACITY_BYTES = 512 * MEBIBYTE

const nothing = (state: string): Kept => ({ state, replies: {}, losses: {} })

/** @param facts all that an answer depends on beside what is asked */
export const stateDigest = (facts: object): string => sha256(canonicalJson(facts))

const pathOf = ({ folder }: KeptPlace, state: string): string => join(folder, `${state}${SUFFIX}`)

const tagOf = (key: Uint8Array, text: string): Buffer =>
  createHmac('sha256', key).update(text).digest()

/** Nothing where there is no file, or none of ours: then it says why. */
export async function readKept(place: KeptPlace, state: string): Promise<Kept> {
  const path = pathOf(place, state)
  try {
    if (!(await exists(path))) return nothing(state)
    const key = await makeKey(place.secrets)
    const file = await readText(path, MOST_BYTES)
    const [tag = '', ...lines] = file.split('\n')
    const text = lines.join('\n')
    const [found, made] = [Buffer.from(tag, 'hex'), tagOf(key, text)]
    if (found.length !== made.length || !timingSafeEqual(found, made))
      throw new Error('it is damaged, or was not written by this user’s Touchstone')
    const kept = Kept.parse(JSON.parse(text))
    if (kept.state !== state) throw new Error('it is of another base')
    return kept
  } catch (error) {
    place.onProblem(`${path} is not used: ${(error as Error).message}`)
    return nothing(state)
  }
}

/** Adds to what the file has by now. */
export async function addKept(
  place: KeptPlace,
  state: string,
  { replies, losses }: Partial<Omit<Kept, 'state'>>,
): Promise<void> {
  try {
    makePrivateFolder(place.folder)
    const key = await makeKey(place.secrets)
    const old = await readKept({ ...place, onProblem: () => undefined }, state)
    const kept = {
      state,
      replies: { ...old.replies, ...replies },
      losses: { ...old.losses, ...losses },
    }
    const text = JSON.stringify(kept)
    const bytes = Buffer.from(`${tagOf(key, text).toString('hex')}\n${text}`)
    if (bytes.length > MOST_BYTES) throw new Error('there is more of this base than is kept')
    const path = pathOf(place, state)
    const bounds = {
      suffix: SUFFIX,
      openedAt: performance.timeOrigin,
      replaced: `${state}${SUFFIX}`,
    }
    if (await makeRoom(place.folder, { ...bounds, bytes: CAPACITY_BYTES - bytes.length }))
      await writeEntry(path, [bytes])
  } catch (error) {
    place.onProblem(`Nothing is kept in ${place.folder}: ${(error as Error).message}`)
  }
}
