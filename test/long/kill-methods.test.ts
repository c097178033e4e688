/** @file `kill -9` while methods train that mix, split, cut or prune: resumed, each ends in the same bits. */
import { expect, test } from 'vitest'
import { killAndCompare, killAtRandom, undisturbed } from '../doubles/runs/kill-campaign.ts'
import { makeMixedBench } from '../doubles/runs/kill-runs.ts'

const OTHERS = ['lora-moe', 'lq-lora', 'loram', 'lora-prune']
const MORE = ['--rank', '4', '--lora-prune.prune-every', '2', '--no-match-loss']
const RANDOM = 3
const SAVED = 'after rename training-state.safetensors #1'
/** At steps 4, 8 and 12 of each method. */
const STATES = 3 * (1 + OTHERS.length)

test.runIf(process.env['TOUCHSTONE_LONG'])(
  `x-lora, ${OTHERS.join(', ')}: killed after every saved state, between writing and naming weights, and ${RANDOM} times at random`,
  { timeout: 1_800_000 },
  async () => {
    const bench = await makeMixedBench(OTHERS, MORE)
    const whole = await undisturbed(bench)
    // Each process ends at its first saved state, which is one further than the last one's.
    const saved = Array.from({ length: STATES }, () => ({ point: SAVED }))
    const written = ['adapter_model.safetensors', 'model.safetensors', 'settled']
    const writing = written.map((file) => ({ point: `before rename ${file} #1` }))
    expect(await killAndCompare(bench, whole, [...saved, ...writing])).toBe(STATES + writing.length)
    expect(await killAtRandom(bench, whole, RANDOM, 20261201)).toBe(RANDOM)
  },
)
