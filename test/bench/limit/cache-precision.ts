/**
 * @file How nearly a model answers with its keys and values in float16 or int8 as with float32, and in how much of the time and memory of the cache:
 * `node test/bench/limit/cache-precision.ts --model FILE.gguf --suite general --limit 30 --max-new-tokens 24 --compared 90`. `--out FILE` keeps the figures.
 */
import { writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { parseArgs } from 'node:util'
import { emptyCache, type CachedSession } from '../../../evals/inference/cached-graph.ts'
import {
  agreementOf,
  answersOfAll,
  distancesOn,
  rendered,
  together,
  type Answers,
} from '../../../evals/inspect/certificate/measure.ts'
import { openBase, openOwnSession, type Base } from '../../../evals/measure/base.ts'
import { EvaluationConfig } from '../../../evals/measure/config.ts'
import { prepareBenchmarks } from '../../../evals/measure/benchmark-sources.ts'
import { CACHE_PRECISIONS } from '../../../evals/contract/approximate.ts'
import { PRECISIONS, type Precision } from '../../../evals/models/weights/small-weights.ts'
import { machine } from '../harness/machine.ts'
import { print } from '../harness/peak.ts'

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'pebble' },
    suite: { type: 'string', default: 'house' },
    limit: { type: 'string', default: '60' },
    'max-new-tokens': { type: 'string', default: '32' },
    'base-precision': { type: 'string', default: PRECISIONS[0] },
    threads: { type: 'string', default: '1' },
    /** Prompts whose logits are compared, each with its reply. */
    compared: { type: 'string', default: '12' },
    out: { type: 'string' },
  },
})

interface Asked {
  readonly base: Base
  readonly session: CachedSession
  readonly answers: readonly Answers[]
  readonly seconds: number
}

const { suite, limit, 'max-new-tokens': maxNewTokens } = values
const config = EvaluationConfig.parse({
  suite: suite.split(','),
  limit: Number(limit),
  maxNewTokens: Number(maxNewTokens),
})

async function asked(precision: (typeof CACHE_PRECISIONS)[number]): Promise<Asked> {
  const cache = precision === 'float32' ? undefined : precision
  const device = { name: 'cpu', threads: Number(values.threads), ...(cache && { cache }) } as const
  const base = await openBase(values.model, device, 16, values['base-precision'] as Precision)
  const session = await openOwnSession(base, device)
  const prepared = await prepareBenchmarks(config)
  await session.nodes('next')
  const began = process.cpuUsage()
  const { signal } = new AbortController()
  const answers = await answersOfAll({ session, open: base.open }, prepared, signal)
  return { base, session, answers, seconds: process.cpuUsage(began).user / 1e6 }
}

/** Share of the tokens of the exact replies that stand at their place. */
function sameTokens(exact: readonly Answers[], other: readonly Answers[]): number {
  let [same, all] = [0, 0]
  exact.forEach(({ replies }, i) =>
    replies.forEach(({ completion: { tokenIds } }, j) => {
      const theirs = other[i]!.replies[j]!.completion.tokenIds
      all += tokenIds.length
      same += tokenIds.filter((id, t) => id === theirs[t]).length
    }),
  )
  return same / all
}

async function distances(exact: Asked, other: Asked) {
  const replies = exact.answers.flatMap((each) => each.replies)
  const every = Math.max(1, Math.floor(replies.length / Number(values.compared)))
  const texts = []
  for (const { sample, completion } of replies.filter((_, i) => i % every === 0)) {
    const text = await rendered(exact.base.open, sample.messages)
    const ids = [...exact.base.open.tokenizer.encode(text), ...completion.tokenIds]
    texts.push({ key: sample.id, ids, from: 1 })
  }
  return together(await distancesOn(texts, exact.session, other.session))
}

const bytesOfToken = ({ session }: Asked): number =>
  Object.values(emptyCache(session.cache, 1, 1).past).reduce(
    (sum, { data }) => sum + data.byteLength,
    0,
  )

const exact = await asked('float32')
const rows = []
for (const precision of CACHE_PRECISIONS) {
  const own = precision === 'float32' ? exact : await asked(precision)
  const { prompts, sameReplies, judged, verdictsChanged } = agreementOf(exact.answers, own.answers)
  const row = {
    ...{ precision, bytesOfToken: bytesOfToken(own), seconds: own.seconds },
    ...{ prompts, sameReplies, judged, verdictsChanged },
    ...{ sameTokens: sameTokens(exact.answers, own.answers), ...(await distances(exact, own)) },
  }
  rows.push(row)
  print(
    `${precision}: ${row.bytesOfToken} bytes a token; ${(100 * row.sameTokens).toFixed(2)} % of tokens and ${sameReplies} of ${prompts} replies the same, ${verdictsChanged} of ${judged} verdicts changed; over the same ${row.positions} tokens ${(100 * row.sameTop).toFixed(2)} % with the same likeliest next, largest difference of a logit ${row.maxLogit.toPrecision(2)}, KL mean ${row.meanKl.toExponential(1)}, of the worst in 100 ${row.tailKl.toExponential(1)} nats; ${row.seconds.toFixed(1)} s of the processor's time`,
  )
  if (own !== exact) await own.session.release()
}
await exact.session.release()
if (values.out !== undefined)
  await writeFile(
    values.out,
    `${JSON.stringify({ machine: machine(), ...values, model: basename(values.model), out: undefined, rows }, null, 2)}\n`,
  )
