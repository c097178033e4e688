/** @file Which layers the LoRA family adapts, and with which rank and scale: PEFT's rules. */
import { bind } from '../../../../evals/finetune/method.ts'
import { describe, expect, test } from 'vitest'
import { lora } from '../../../../evals/finetune/methods/lora.ts'
import { peftConfigOf, targets } from '../../../../evals/finetune/methods/low-rank.ts'
import { namedViews } from '../../../../evals/finetune/training/parameters.ts'
import { METHODS } from '../../../../evals/finetune/registry.ts'
import { rankOf, scaleOf } from '../../../../evals/models/formats/peft-config.ts'
import { adaptedWeights } from '../../../../evals/models/weights/tuned-weights.ts'
import {
  lowRankSingularValues,
  singularValues,
} from '../../../../evals/spectra/decomposition/partial-svd.ts'
import { tinyModel } from '../../../doubles/models/tiny-model.ts'
import { openTiny } from '../../../doubles/training/tiny-training.ts'

const Q = 'model.layers.1.self_attn.q_proj'
const peft = (config: object) => peftConfigOf(lora.config.parse(config))

describe('targets', () => {
  test.each([
    ['q_proj', true],
    ['self_attn.q_proj', true],
    [Q, true],
    ['proj', false],
    ['q_pro', false],
    ['layers.1.self_attn', false],
    [`^${Q}`, false],
    ['', false],
  ])('%s adapts a query layer: %s', (target, isTarget) => {
    expect(targets(peft({ targetModules: [target] }), Q)).toBe(isTarget)
  })

  test.each(METHODS.filter(({ name }) => name !== 'full').map(({ name }) => name))(
    '%s that finds no layer says which there are',
    async (method) => {
      const opened = openTiny({ method, methodConfig: { targetModules: ['nope', 'c_attn'] } })
      await expect(opened).rejects.toMatchObject({
        code: 'training.no-target',
        message: 'No layer of the model matches the target modules nope, c_attn.',
      })
    },
  )

  test('one that finds some adapts those alone', async () => {
    const { session } = await openTiny({ methodConfig: { targetModules: ['nope', 'v_proj'] } })
    expect(session.table.slices.map(({ name }) => name.replace(/^model\.layers\./, ''))).toEqual([
      '0.self_attn.v_proj.lora_A.weight',
      '0.self_attn.v_proj.lora_B.weight',
      '1.self_attn.v_proj.lora_A.weight',
      '1.self_attn.v_proj.lora_B.weight',
    ])
    await session.release()
  })
})

describe('patterns', () => {
  test('the first that names the layer counts', () => {
    const config = peft({
      rank: 8,
      alpha: 16,
      rankPattern: ['layers.1.self_attn.q_proj=2', 'q_proj=4'],
      alphaPattern: [`^${Q}=0.5`],
    })
    const other = 'model.layers.0.self_attn.q_proj'
    expect([rankOf(config, Q), scaleOf(config, Q)]).toEqual([2, 0.25])
    expect([rankOf(config, other), scaleOf(config, other)]).toEqual([4, 4])
    expect(rankOf(config, 'model.layers.1.mlp.up_proj')).toBe(8)
  })

  test.each([
    [{ rankPattern: ['q_proj'] }],
    [{ rankPattern: ['q_proj=0'] }],
    [{ rankPattern: ['q_proj=1025'] }],
    [{ rankPattern: ['q_proj=2.5'] }],
    [{ rankPattern: ['q_proj=1e2'] }],
    [{ rankPattern: ['q_proj=2', 'q_proj=4'] }],
    [{ rankPattern: ['.*=2'] }],
    [{ alphaPattern: ['q_proj=-1'] }],
    [{ alphaPattern: ['q_proj=0.0'] }],
    [{ alphaPattern: ['q_proj=NaN'] }],
    [{ alphaPattern: ['=1'] }],
    [{ rank: 0 }],
    [{ alpha: 0 }],
    [{ targetModules: [] }],
  ])('%j is refused', (config) => {
    expect(lora.config.safeParse(config).success).toBe(false)
  })

  test.each([
    [{ rankPattern: ['q_proj=1024'] }, 1024],
    [{ rankPattern: ['q_proj=1'] }, 1],
    [{ alphaPattern: ['q_proj=0.25'] }, 8],
  ])('%j is taken', (config, rank) => {
    expect(rankOf(peft(config), Q)).toBe(rank)
  })
})

test.each([
  ['lora', 2],
  ['pissa', 4],
])('what %s at rank 2 learns has at most rank %i', async (method, most) => {
  const { session, fresh, run } = await openTiny({ method, methodConfig: { rank: 2 } })
  await run(fresh)
  const found = METHODS.find(({ name }) => name === method)!
  const views = namedViews(session.table, fresh.parameters)
  const folder = bind(found, { rank: 2 }).toPeft!(views, 'base', session.prepared)
  const tuned = adaptedWeights(tinyModel().weights, folder, 'adapter')
  const change = tuned.change(`${Q}.weight`)!
  const σ = lowRankSingularValues(change)
  const exact = σ.filter((value) => value > 1e-6 * σ[0]!)
  expect(exact.length).toBe(most)
  // The same from the weights themselves, whose float32 rounding is all that is left beyond.
  const [before, after] = [tinyModel().weights.get(`${Q}.weight`)!, tuned.read(`${Q}.weight`)]
  const data = Float64Array.from(after, (w, i) => w - before[i]!)
  const all = singularValues({ rows: 16, columns: 16, data })
  expect(all[most]! / all[0]!).toBeLessThan(1e-4)
  await session.release()
})
