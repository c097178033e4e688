/**
 * @file How near a GGUF's answers in its blocks, exact and rounded to int8, are to those of the same weights in float32: logits,
 * KL, greedy tokens, replies and verdicts. `node test/bench/peers/precisions.ts --model FILE.gguf [--suite general] [--limit 8]`
 */
import { parseArgs } from 'node:util'
import { promptsOf, withMeasured } from '../../../evals/inspect/certificate/certify.ts'
import {
  agreementOf,
  answersOfAll,
  distancesOn,
  together,
  type Answers,
} from '../../../evals/inspect/certificate/measure.ts'
import { openOwnSession } from '../../../evals/measure/base.ts'
import { loadModel } from '../../../evals/models/load.ts'
import { print } from '../harness/peak.ts'

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    suite: { type: 'string', default: 'general' },
    limit: { type: 'string', default: '8' },
  },
})
const path = values.model!
const prepared = await promptsOf([values.suite], Number(values.limit))
const { signal } = new AbortController()

const tokensOf = (answers: readonly Answers[]) =>
  answers.flatMap(({ replies }) => replies.map(({ completion }) => completion.tokenIds))
const sum = (all: readonly number[]) => all.reduce((total, each) => total + each, 0)

await withMeasured({ model: path, candidate: null }, async ({ asked }) => {
  const reference = await answersOfAll(asked, prepared, signal)
  const texts = reference.flatMap(({ replies }) =>
    replies.map(({ written }) => ({ ...written!, from: 1 })),
  )
  print(`${path}, ${values.suite}, ${values.limit} prompts of each benchmark, beside float32:`)
  for (const precision of ['blocks', 'blocks-int8'] as const) {
    const { open, model, weights } = await loadModel(path, precision)
    const session = await openOwnSession({ model, weights }, { name: 'cpu', threads: 1 })
    const distances = await distancesOn(texts, asked.session, session)
    const { maxLogit, meanKl, maxKl, positions } = together(distances)
    const own = await answersOfAll({ session, open }, prepared, signal)
    const { prompts, sameReplies, judged, verdictsChanged } = agreementOf(reference, own)
    const theirs = tokensOf(own)
    const equal = tokensOf(reference).map((ids, i) => {
      const first = ids.findIndex((id, t) => id !== theirs[i]![t])
      return first < 0 ? ids.length : first
    })
    const number = (value: number) => value.toPrecision(3)
    print(
      `  ${precision}: largest |Δlogit| ${number(maxLogit)}, KL mean ${number(meanKl)}, largest ${number(maxKl)} over ${positions} tokens; ` +
        `${sum(equal)} of ${sum(tokensOf(reference).map((ids) => ids.length))} tokens before a reply's first other one, ${sameReplies} of ${prompts} replies the same, ${verdictsChanged} of ${judged} verdicts changed`,
    )
    await session.release()
    await open.close()
  }
})
