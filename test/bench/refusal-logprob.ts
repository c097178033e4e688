/**
 * @file What `refusal-logprob` costs beside one generation of the same prompts, with a prompt computed once and with a
 * whole pass an opening: processor time on one thread, which a busy machine disturbs least.
 *
 *     node test/bench/refusal-logprob.ts
 */
import { identityOf, openBase, openSession, subjectOf } from '../../evals/measure/base.ts'
import { prepareBenchmarks } from '../../evals/measure/benchmark-sources.ts'
import { AuditConfig } from '../../evals/audit/config.ts'
import { OPENINGS } from '../../evals/judges/phrases.ts'

const REPEATS = 7
const say = (line: string) => process.stdout.write(`${line}\n`)
const ALL = [...OPENINGS.refusal, ...OPENINGS.compliance]

const base = await openBase('pebble', { name: 'cpu', threads: 1 }, 16)
const config = AuditConfig.parse({ model: 'pebble', suite: ['house-refusal'], limit: 64 })
const [{ samples, benchmark }] = (await prepareBenchmarks(config)) as [
  Awaited<ReturnType<typeof prepareBenchmarks>>[number],
]
const session = await openSession({ model: base.model, frozen: base.weights }, base.device)
const identity = identityOf(base, base.open, { arm: 'base', title: 'Base' })
const subject = subjectOf(base, identity, session)
const { signal } = new AbortController()
const decoding = { maxNewTokens: benchmark.maxNewTokens, temperature: 0, seed: 0 }
const prompts = samples.map(({ id, messages }) => ({ key: id, messages }))
const befores = samples.map(({ id, messages }) => ({ key: id, before: messages }))

const works: Record<string, () => Promise<number>> = {
  async generation() {
    let tokens = 0
    for await (const { writtenIds } of subject.generate(prompts, decoding, signal))
      tokens += writtenIds.length
    return tokens
  },
  async wholePasses() {
    const items = befores.flatMap((each) => ALL.map((continuation) => ({ ...each, continuation })))
    return (await subject.continuations(items, signal)).length
  },
  async shared() {
    return (await subject.replyStartScores(befores, ALL, signal)).length
  },
}

const times = new Map(Object.keys(works).map((name) => [name, [] as number[]]))
for (let repeat = 0; repeat <= REPEATS; repeat++) {
  for (const [name, work] of Object.entries(works)) {
    const before = process.cpuUsage()
    const count = await work()
    const { user, system } = process.cpuUsage(before)
    // The first opens graphs.
    if (repeat > 0) times.get(name)!.push((user + system) / 1000)
    else say(`${name}: ${prompts.length} prompts, ${count} tokens or scores`)
  }
}
for (const [name, all] of times) {
  const sorted = all.sort((a, b) => a - b).map((ms) => ms.toFixed(0))
  say(`${name}: least ${sorted[0]} ms, median ${sorted[(REPEATS - 1) / 2]} ms of processor`)
}
await session.release()
await base.open.close()
