/**
 * @file Which weights of a fine-tune took refusal: the smallest set of matrices, and singular directions of their changes, put back by
 * `touchstone locate`: `node evals/bin/run.js findings`; writes docs/findings/location.md.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Results } from '../../../evals/contract/results.ts'
import { percent } from '../../../evals/contract/words.ts'
import { root } from './pebble.ts'
import { cameBack, lookedInto, SHARE } from './tampered.ts'

const SEEDS = [0, 3, 4]

const found: Results[] = []
for (const seed of SEEDS) found.push(await lookedInto(seed, 'locate'))

type Intervention = NonNullable<Results['causes']>['interventions'][number]

const refusalOf = ({ restored }: Intervention) =>
  restored.find(({ benchmark }) => benchmark === 'house-refusal')!

const matrices = found.flatMap((results, i) => {
  const { locations, interventions } = results.causes!
  const { found: count, parts } = locations[0]!
  return interventions.flatMap((each) => {
    const { derivation } = each
    if (derivation.kind !== 'put-back') return []
    if (derivation.set === 'ranked' && derivation.parts !== count) return []
    const which = derivation.set === 'ranked' ? 'the first' : `random ${derivation.draw}`
    const size = `${derivation.parts} of ${parts.length}`
    return `| ${[SEEDS[i], which, size, percent(derivation.share), cameBack(refusalOf(each))].join(' | ')} |`
  })
})

const directions = found.flatMap((results, i) =>
  results.causes!.interventions.flatMap((each) => {
    const { derivation } = each
    if (derivation.kind !== 'directions-back') return []
    const which = derivation.draw === 0 ? derivation.set : `${derivation.set} ${derivation.draw}`
    return `| ${[SEEDS[i], which, derivation.directions, percent(derivation.share), cameBack(refusalOf(each))].join(' | ')} |`
  }),
)

writeFileSync(
  join(root, 'docs', 'findings', 'location.md'),
  `# Findings on Pebble: weights that took refusal

\`npm run findings\` printed this page. It uses Pebble and harmless house rules only, and says nothing about real models.

LoRA on house-tamper@${SHARE} (150 steps of 8 rows at rate 0.002), seeds ${SEEDS.join(', ')}, 128 prompts of each benchmark, then \`touchstone locate RUN\` with its defaults ([how](../methods/causes.md)).

## Matrices

The smallest set of matrices ranked first that restores 80 % of the lost refusal on the half on which it was chosen, and sets at random whose ‖ΔW‖² is at most as large; what came back of refusal on the other half.

| Seed | Set | Matrices | of ‖ΔW‖² | refusal that came back |
|---|---|---|---|---|
${matrices.join('\n')}

## Singular directions

Directions of the change put back over all matrices: along intruder dimensions of the fine-tune, with the largest and the smallest σ, and at random. All sets of a seed have the same ‖ΔW‖².

| Seed | Set | Directions | of ‖ΔW‖² | refusal that came back |
|---|---|---|---|---|
${directions.join('\n')}
`,
)
