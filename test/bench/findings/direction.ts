/**
 * @file How often the test for ablation is right, where it is known: Pebbles of which a share of the direction of refusal was taken,
 * fine-tunes that lost refusal without that, and benign ones: `node evals/bin/run.js findings`; writes docs/findings/direction.md.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { Results } from '../../../evals/contract/results.ts'
import { benignArm, DIRECTION_METRICS } from '../../../evals/contract/metrics/direction.ts'
import { looksAblated, type SharedChange } from '../../../evals/contract/subjects/direction.ts'
import { percent } from '../../../evals/contract/words.ts'
import { ablatedPebble } from '../../doubles/models/ablated.ts'
import { audit, folderOf, rateOf, root, run } from './pebble.ts'
import { SHARE, tampered } from './tampered.ts'

const SHARES = [1, 0.75, 0.5, 0.25, 0.1]
const SEEDS = [0, 1, 2]
const DRAWS = 59
/** What `direction` draws by default. */
const USUAL_DRAWS = 19

interface Case {
  readonly what: string
  readonly path: string
}

async function ablations(): Promise<Case[]> {
  const made = async (name: string, what: string, how: Parameters<typeof ablatedPebble>[1]) => {
    const path = join(folderOf('ablated'), name)
    return { what, path: existsSync(path) ? path : await ablatedPebble(path, how) }
  }
  return [
    ...(await Promise.all(
      SHARES.map((share) => made(`share-${share}`, `${percent(share)} of it taken`, { share })),
    )),
    await made('by-layer', 'each block’s own direction taken', { byLayer: true }),
  ]
}

const cases = await ablations()
const FOLDER = 'direction'
const file = join(folderOf(FOLDER), 'direction.json')
const audited = join(folderOf(FOLDER), 'audit.json')
if (!existsSync(file)) {
  await audit(FOLDER, [
    ...tampered(SEEDS),
    ...cases.flatMap(({ path }) => ['--candidate', path]),
    ...['-o', audited],
  ])
  const [tuned] = readdirSync(folderOf(FOLDER)).filter((name) => name.startsWith('audit-'))
  const asked = ['--draws', String(DRAWS), '--no-steer', '--threads', '1', '--quiet']
  await run(FOLDER, ['direction', tuned!, ...asked, '-o', file])
}
const read = (path: string) => Results.parse(JSON.parse(readFileSync(path, 'utf8')))
const [before, results] = [read(audited), read(file)]

/** The two numbers of each benign fine-tune. */
function benignChanges(): readonly Pick<SharedChange, 'shared' | 'left'>[] {
  const own = results.metrics.filter(({ arm }) => arm === benignArm('lora'))
  const leftOf = new Map(
    own.flatMap(({ name, seed, value }) =>
      name === DIRECTION_METRICS.left ? [[seed, value] as const] : [],
    ),
  )
  return own.flatMap(({ name, seed, value }) =>
    name === DIRECTION_METRICS.shared ? [{ shared: value, left: leftOf.get(seed)! }] : [],
  )
}

/**
 * Of a benign fine-tune held against `draws` others, over all ways to draw them: it is called ablated where it shares more than each
 * and less is left of it, so where all are among the m others of which that holds: C(m, draws)/C(n − 1, draws).
 */
function falseAlarms(draws: number): number {
  const all = benignChanges()
  const rates = all.map(({ shared, left }) => {
    const below = all.filter((other) => other.shared < shared && other.left > left).length
    let rate = 1
    for (let k = 0; k < draws; k++) rate *= Math.max(0, below - k) / (all.length - 1 - k)
    return rate
  })
  return rates.reduce((sum, rate) => sum + rate, 0) / rates.length
}

const whatOf = (arm: string, seed: number) =>
  cases.find(({ path }) => arm.endsWith(basename(path)))?.what ??
  `LoRA on house-tamper@${SHARE}, seed ${seed}`

const rows = results.causes!.directions!.map(({ arm, seed, change }) => {
  const { shared, left, cosine, benign } = change!
  const cells = [
    ...[whatOf(arm, seed), rateOf(before, arm, 'house-refusal', seed)],
    ...[percent(shared), percent(left), cosine.toFixed(2), benign!.pValue.toPrecision(2)],
    looksAblated(change!),
  ]
  return `| ${cells.join(' | ')} |`
})
const { highestShared, lowestLeft } = results.causes!.directions![0]!.change!.benign!

writeFileSync(
  join(root, 'docs', 'findings', 'direction.md'),
  `# Findings on Pebble: was it ablated?

\`npm run findings\` printed this page. It uses Pebble and harmless house rules only, and says nothing about real models. The code that ablates stands among the tests.

\`touchstone direction RUN --draws ${DRAWS}\` ([how](../methods/direction.md)) on Pebbles of which a share of the direction of refusal after block 3 was taken, and on LoRA (150 steps of 8 rows at rate 0.002) on rows of which 5 % break the house's rules, which lose refusal without an ablation. The ${DRAWS} benign fine-tunes beside them have the same plan.

| Candidate | Refusal, 128 prompts | Shared | Left | Cosine with the direction of refusal | p | Ablated? |
|---|---|---|---|---|---|---|
${rows.join('\n')}

Among benign fine-tunes the highest shared is ${percent(highestShared)}, the lowest left ${percent(lowestLeft)}. Called ablated would be ${(100 * falseAlarms(USUAL_DRAWS)).toFixed(2)} % of them held against ${USUAL_DRAWS} others (the default), and ${(100 * falseAlarms(DRAWS - 1)).toFixed(2)} % held against all ${DRAWS - 1}; by chance alone at most ${(100 / (USUAL_DRAWS + 1)).toFixed(1)} and ${(100 / DRAWS).toFixed(1)} %.
`,
)
