/** @file Federated arms on a tiny model: one client is local training, interrupted rounds end in the same bits, the facts of a round. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runArm } from '../../../../evals/arms/arm.ts'
import { tunedOf } from '../../../../evals/arms/arm-adapter.ts'
import type { FinishedArm } from '../../../../evals/arms/arm-plan.ts'
import { createClientRunner } from '../../../../evals/arms/federation/clients.ts'
import type { FederatedPlan, RoundWork } from '../../../../evals/arms/federation/federation-plan.ts'
import { saveSent } from '../../../../evals/arms/federation/round-files.ts'
import { runFederation } from '../../../../evals/arms/federation/rounds.ts'
import { FederateConfig } from '../../../../evals/audit/federation/config.ts'
import { federatedPlan } from '../../../../evals/audit/federation/plans.ts'
import type { JobEventBody } from '../../../../evals/contract/events.ts'
import { epsilonOf, zcdp } from '../../../../evals/finetune/federation/privacy.ts'
import { STRATEGIES } from '../../../../evals/finetune/federation/registry.ts'
import { attendance } from '../../../../evals/finetune/federation/split.ts'
import { openBase, type Base } from '../../../../evals/measure/base.ts'
import { writeTinyCheckpoint } from '../../../doubles/models/tiny-checkpoint.ts'
import { freshFolder } from '../../../doubles/runs/command-line.ts'
import { tinyExamples } from '../../../doubles/training/tiny-training.ts'
import { IS_LONG, sampled } from '../../../doubles/tier.ts'

let base: Base
beforeAll(async () => {
  const path = await writeTinyCheckpoint(join(freshFolder(), 'model'), { layers: 1 })
  base = await openBase(path, { name: 'cpu', threads: 1 }, 4)
})
afterAll(() => base.open.close())

const SEED = 4
const EXAMPLES = tinyExamples(24)

type Elsewhere = (work: RoundWork) => Promise<void>

function planOf(name: string, asked: object = {}, trainElsewhere?: Elsewhere): FederatedPlan {
  const config = FederateConfig.parse({
    ...{ model: 'tiny', data: ['tiny'], clients: 3, rounds: 2, localSteps: 2, rank: 2 },
    training: { batchSize: 2, learningRate: 0.01, warmupSteps: 0 },
    ...asked,
  })
  const rows = Array.from({ length: config.clients }, (_, client) =>
    EXAMPLES.filter((_, row) => row % config.clients === client),
  )
  const data = { sources: [], tampering: undefined, isTampering: false }
  const work = { base, config, data, evaluation: undefined, trainElsewhere }
  return federatedPlan(work, rows, { name, seed: SEED })
}

const contextIn = (workspace: string, emit: (body: JobEventBody) => void = () => undefined) => ({
  ...{ emit, workspace, signal: new AbortController().signal },
  seal: () => undefined,
  flush: () => undefined,
})

/** `stopAt`: the event before which the process is gone. */
async function played(plan: FederatedPlan, workspace = freshFolder(), stopAt = Infinity) {
  const facts = new Map<string, number>()
  let events = 0
  const context = contextIn(workspace, (body) => {
    if (++events > stopAt) throw new Error('killed')
    if (body.type === 'metric') facts.set(`${body.row.name} ${body.row.step}`, body.row.value)
  })
  const arm = await runFederation(base, plan, context)
  return { arm, facts, events }
}

/** Of a strategy as it is, once. */
const known = new Map<string, ReturnType<typeof played>>()
function playedOnce(name: string) {
  if (!known.has(name)) known.set(name, played(planOf(name)))
  return known.get(name)!
}

const bitsOf = ({ parameters }: FinishedArm) =>
  [...parameters].map(([name, { data }]) => [name, Array.from(data)] as const)

const LAYER = 'model.layers.0.mlp.up_proj'
const norm = (x: Float32Array, y: Float32Array) => Math.hypot(...x.map((w, t) => w - y[t]!))
const weightOf = (arm: FinishedArm) => tunedOf(base, arm).weights.read(`${LAYER}.weight`)

describe.each(STRATEGIES)('$name', ({ name, isMean }) => {
  test('with one client and one round is local training', async () => {
    const plan = planOf(name, { clients: 1, rounds: 1, localSteps: 4 })
    const { arm } = await played(plan)
    const { federation, method: server, ...own } = plan
    const { method } = federation.clients[0]!
    const start = server.prepare ? { prepare: server.prepare } : {}
    const alone = { ...own, method: { ...method, ...start }, evaluateAt: [4] }
    const local = await runArm(base, alone, contextIn(freshFolder()))
    if (isMean) expect(bitsOf(arm)).toEqual(bitsOf(local))
    const learnt = norm(weightOf(local), base.weights.get(`${LAYER}.weight`)!)
    expect(learnt).toBeGreaterThan(1e-3)
    expect(norm(weightOf(arm), weightOf(local)) / learnt).toBeLessThan(1e-4)
  })
})

describe.each(sampled(['flora', 'fedit', 'fed-sb'], 1))('%s, killed', (name) => {
  let whole: Awaited<ReturnType<typeof played>>
  beforeAll(async () => void (whole = await playedOnce(name)))

  test('at any event, it ends in the same bits', async () => {
    const stride = IS_LONG ? 1 : Math.ceil(whole.events / 2)
    for (let stopAt = 2; stopAt < whole.events; stopAt += stride) {
      const folder = freshFolder()
      await expect(played(planOf(name), folder, stopAt)).rejects.toThrow('killed')
      const { arm } = await played(planOf(name), folder)
      expect(bitsOf(arm)).toEqual(bitsOf(whole.arm))
    }
  })

  test('between two clients, it trains only those that are left', async () => {
    const trained: string[] = []
    let isKilled = true
    const elsewhere: Elsewhere = async ({ arm, round, clients, signal }) => {
      const runner = createClientRunner(arm)
      try {
        for (const client of clients) {
          await runner.run(client, signal)
          trained.push(`${round} ${client}`)
          if (isKilled && round === 1) throw new Error('killed')
        }
      } finally {
        await runner.close()
      }
    }
    const folder = freshFolder()
    await expect(played(planOf(name, {}, elsewhere), folder)).rejects.toThrow('killed')
    isKilled = false
    const { arm } = await played(planOf(name, {}, elsewhere), folder)
    expect(trained).toEqual(['0 0', '0 1', '0 2', '1 0', '1 1', '1 2'])
    expect(bitsOf(arm)).toEqual(bitsOf(whole.arm))
  })
})

test('a state of other settings is not gone on with', async () => {
  const folder = freshFolder()
  await played(planOf('fedit', { rounds: 1, localSteps: 1 }), folder)
  await expect(
    played(planOf('fedit', { rounds: 1, localSteps: 1, dropout: 0.5 }), folder),
  ).rejects.toMatchObject({
    code: 'training.resume-mismatch',
  })
})

test('a client that sends what is not finite is named', async () => {
  const elsewhere: Elsewhere = async ({ arm, round, clients }) => {
    for (const client of clients) {
      const parameters = new Float32Array(arm.table.size)
      if (client === 1) parameters[3] = NaN
      await saveSent(arm, round, client, { parameters, loss: 1 })
    }
  }
  await expect(played(planOf('fedit', {}, elsewhere))).rejects.toMatchObject({
    code: 'federation.not-finite',
    values: { client: 1, round: 1 },
  })
})

describe('the facts of a round', () => {
  const NUMBER = 4

  test('the mean of products is met by ffa-lora, flora and fed-sb, and missed by fedit', async () => {
    const biasOf = async (name: string) => {
      const { facts } = await playedOnce(name)
      expect(facts.get(`federation/bias/${LAYER} 2`)).toBeDefined()
      return facts.get('federation/bias 2')!
    }
    for (const name of ['ffa-lora', 'flora', 'fed-sb'])
      expect(await biasOf(name)).toBeLessThan(1e-5)
    const [plain, fair] = [await biasOf('fedit'), await biasOf('lora-fair')]
    expect(plain).toBeGreaterThan(1e-3)
    expect(fair).toBeLessThan(plain)
  })

  test('bytes: trained numbers up and down; a stack goes to every client; a start once', async () => {
    const sizes = async (name: string, asked?: object) => {
      const { facts } = await (asked ? played(planOf(name, asked)) : playedOnce(name))
      const at = (what: string, round: number) =>
        facts.get(`federation/bytes-${what} ${round}`)! / NUMBER
      return { up: at('up', 1), first: at('down', 1), second: at('down', 2) }
    }
    const [plain, frozen, stacked, square] = [
      await sizes('fedit'),
      await sizes('ffa-lora'),
      await sizes('flora', { clientRanks: [1, 2, 3] }),
      await sizes('fed-sb'),
    ]
    expect(plain).toEqual({ up: plain.up, first: plain.up, second: plain.up })
    // B of all seven layers, three clients, rank 2: out of q, k, v, o, gate, up and down.
    expect(frozen.up).toBe(3 * 2 * (16 + 8 + 8 + 16 + 24 + 24 + 16))
    expect(stacked).toEqual({ up: plain.up, first: 0, second: 3 * plain.up })
    expect(square.up).toBe(3 * 7 * 2 * 2)
    expect(square.first - square.second).toBe(plain.up)
  })

  test('clients are asked and lost as the seed says; where none answers the state stays', async () => {
    const { facts, arm } = await played(planOf('fedit', { rounds: 6, sampled: 2, dropout: 0.6 }))
    const counts = Array.from({ length: 6 }, (_, round) =>
      facts.get(`federation/clients ${round + 1}`),
    )
    const expected = Array.from(
      { length: 6 },
      (_, round) =>
        attendance({ clients: 3, sampled: 2, dropout: 0.6 }, round, SEED).answered.length,
    )
    expect(counts).toEqual(expected)
    expect(expected).toContain(0)
    expect(arm.key.step).toBe(6)
  })

  test.each(['example', 'client'] as const)('ε of the privacy of an %s', async (dpUnit) => {
    const { facts } = await played(planOf('ffa-lora', { dpNoise: 2, dpUnit }))
    const steps = dpUnit === 'example' ? 2 : 1
    for (const round of [1, 2])
      expect(facts.get(`federation/epsilon ${round}`)).toBe(epsilonOf(zcdp(steps * round, 2), 1e-5))
  })

  test('clients of different ranks, for strategies that mix them', async () => {
    const run = (name: string) => played(planOf(name, { clientRanks: [1, 2, 3], rounds: 1 }))
    for (const { name, mixesRanks } of STRATEGIES)
      if (mixesRanks) expect((await run(name)).arm.key.step).toBe(1)
    await expect(run('fedit')).rejects.toMatchObject({ code: 'federation.ranks-differ' })
  })
})
