/**
 * @file What fine-tunes of every task gain and forget, by rank, and where on the earth encodings fail:
 * `node evals/bin/run.js findings`. Writes docs/tasks/findings.md; with names of `SECTIONS`, those sections
 * alone; `ranks location rna` runs those tasks, and takes the rows of the others as they stand.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { TASKS } from '../../../evals/audit/tasks/registry.ts'
import { SCENE3D } from '../../../evals/audit/tasks/scene3d/scene3d-facts.ts'
import type { Results } from '../../../evals/contract/results.ts'
import { counted } from '../../../evals/contract/words.ts'
import { lora } from '../../../evals/finetune/methods/lora.ts'
import { polarGap } from './latitudes.ts'
import { composed, places, sensed, transcribed } from './task-directions.ts'
import { all, BASE_SEEDS, meanWithInterval, ran, root, spread } from './task-runs.ts'

const SEEDS = [0, 1, 2]
/** Of the table over ranks: what it shows is of the last step. */
const LAST_ALONE = ['--eval-every', '1000000', '--no-match-loss']
const ENCODINGS = ['spherical-harmonics', 'grid', 'theory']
/** Pieces of a row of the table over ranks, cut at its bars. */
const RANK_CELLS = 9
const DISTILLED_RANKS = [1, 4, 16]

const page = join(root, 'docs', 'tasks', 'findings.md')
const before = existsSync(page) ? readFileSync(page, 'utf8') : ''
/** Sections, and of the table over ranks tasks. */
const asked = process.argv.slice(2)

function armRows(task: string, results: Results): string[] {
  const content = results.artifacts.flatMap((row) =>
    row.content?.kind === 'task' ? row.content : [],
  )[0]!
  const arms = [...new Set(results.comparisons.map(({ arm }) => arm))]
  return arms.map((arm) => {
    const steps = results.evaluations.filter((row) => row.arm === arm).map(({ step }) => step)
    const isLast = (row: { arm: string; step: number }) =>
      row.arm === arm && row.step === Math.max(...steps)
    const spectra = results.spectrumTotals.filter(isLast)
    const points = content.parts.map(({ benchmark }) =>
      results.comparisons
        .filter((row) => row.benchmark === benchmark && isLast(row))
        .map(({ difference }) => -100 * difference!),
    )
    const cells = [
      ...points.map((values) => spread(values, 1)),
      `${spread(
        spectra.map(({ intruders }) => intruders),
        1,
      )} of ${spectra[0]!.slots}`,
      spread(
        spectra.map((row) => row.meanEffectiveRankOfChange ?? NaN),
        1,
      ),
    ]
    const own = spectra.length < SEEDS.length ? ` (${counted(spectra.length, 'seed')})` : ''
    return `| ${[task, `${arm}${own}`, ...cells].join(' | ')} |`
  })
}

async function ranks(): Promise<string> {
  const names = TASKS.map(({ name }) => name)
  const isAsked = (name: string) =>
    asked.includes(name) || !names.some((own) => asked.includes(own))
  const found = await all(
    names.map((name) => async () => {
      const old = before.split('\n').filter((line) => line.startsWith(`| ${name} `))
      // A line of another section may begin so too.
      if (!isAsked(name)) return old.filter((line) => line.split('|').length === RANK_CELLS)
      return armRows(name, await ran(name, [name, '--seeds', SEEDS.join(','), ...LAST_ALONE]))
    }),
  )
  const without = names.filter((_, i) => found[i]!.length === 0)
  const unrun = without.length === 0 ? '' : ` Not run so far: ${without.join(', ')}.`
  return `Each method at its task's own settings, ${SEEDS.length} seeds on one base where a row says nothing else, at the last step, with alpha = 2·rank: points of the rate after less before, mean and lowest to highest seed. Intruders count leading directions (ε = 0.5); the effective rank is that of the change.${unrun}

| Task | Variant | gain | retention | shift | intruders | effective rank |
|---|---|---|---|---|---|---|
${found.flat().join('\n')}`
}

async function poles(): Promise<string> {
  const gaps = new Map<string, number[]>()
  for (const encoding of ENCODINGS) {
    const values: number[] = []
    for (const seed of BASE_SEEDS) values.push(await polarGap(`${encoding}/siren`, seed))
    gaps.set(encoding, values)
  }
  const [reference, ...others] = [...gaps]
  const rows = others.map(([encoding, values]) => {
    const more = values.map((gap, s) => gap - reference![1][s]!)
    const k = more.filter((value) => value > 0).length
    return `| ${encoding} | ${meanWithInterval(values)} | ${meanWithInterval(more)} | ${k} of ${more.length} |`
  })
  return `Checkerboard, base alone, ${BASE_SEEDS.length} seeds of weights and points: share told right between 60° S and 60° N less the share nearer to the poles, points, with 95 % intervals of Student's t over seeds. Rußwurm et al. (ICLR 2024) expect no such gap of spherical harmonics, and one of encodings of the plane.

| Encoding with SIREN | gap | more than spherical harmonics | seeds with more |
|---|---|---|---|
| ${reference![0]} | ${meanWithInterval(reference![1])} | | |
${rows.join('\n')}`
}

/** Distilled guidance by rank, where noise has a closed form. */
async function distilled(): Promise<string> {
  const [task, base] = ['guided-diffusion', 'mixture/3']
  const methods = ['--methods', 'lora', '--ranks', DISTILLED_RANKS.join(',')]
  const seeds = ['--seeds', BASE_SEEDS.join(','), '--no-spectra', '--no-match-loss']
  const found = await ran(`${task}-ranks`, [task, '--base', base, ...methods, ...seeds])
  const measured = found.artifacts.flatMap(({ content }) =>
    content?.kind === 'task-measure' && content.step > 0 ? content : [],
  )
  const gaps = (name: string, rank: number) =>
    BASE_SEEDS.map(
      (seed) =>
        measured.find(
          (row) => row.name === name && row.seed === seed && row.arm === `lora-r${rank}`,
        )!.value!,
    )
  const taught = DISTILLED_RANKS.map((rank) => gaps('guidance-gap', rank))
  const falls = BASE_SEEDS.filter((_, s) =>
    taught.every((own, r) => r === 0 || own[s]! < taught[r - 1]![s]!),
  )
  const rows = DISTILLED_RANKS.map((rank, r) => {
    const cells = [taught[r]!, gaps('closed-form-gap', rank)].map((own) => spread(own, 4))
    return `| ${[rank, ...cells].join(' | ')} |`
  })
  return `\`${task}\` on \`${base}\`, LoRA at its own settings, ${BASE_SEEDS.length} seeds on one base: mean squared gap of one call to the teacher’s noise and to its closed form, mean and lowest to highest seed. Golnari (2023) leads one to expect a gap that falls with the rank; it falls at each step in ${falls.length} of ${BASE_SEEDS.length} seeds.

| Rank | gap to the teacher | gap to the closed form |
|---|---|---|
${rows.join('\n')}`
}

/** Error in cm of the base, and of its fine-tune at the last step. */
async function sceneErrors(base: string, seed: number): Promise<readonly [number, number]> {
  const argv = [SCENE3D.name, '--base', base, '--base-seed', String(seed), '--ranks', '16']
  const without = ['--methods', lora.name, '--no-spectra', '--no-match-loss']
  const { artifacts } = await ran(`scenes-${base}-${seed}`, [...argv, ...without])
  const errors = artifacts.flatMap(({ content }) =>
    content?.kind === 'task-measure' && content.unit === 'cm' ? content : [],
  )
  const last = Math.max(...errors.map(({ step }) => step))
  const at = (step: number) => errors.find((row) => row.step === step)!.value!
  return [at(0), at(last)]
}

async function scenes(): Promise<string> {
  const gains: number[][] = []
  const rows: string[] = []
  for (const base of SCENE3D.bases) {
    const found = await all(BASE_SEEDS.map((seed) => () => sceneErrors(base, seed)))
    const less = found.map(([before, after]) => before - after)
    gains.push(less)
    const cells = [0, 1].map((which) => meanWithInterval(found.map((errors) => errors[which]!)))
    const fell = less.filter((value) => value > 0).length
    rows.push(
      `| ${[base, ...cells, meanWithInterval(less), `${fell} of ${less.length}`].join(' | ')} |`,
    )
  }
  const more = gains[0]!.map((gain, s) => gain - gains[1]![s]!)
  return `LoRA of rank 16, ${BASE_SEEDS.length} seeds of weights and scenes: mean distance of points from the truth in cm, with 95 % intervals of Student's t over seeds. Recalibrated confidences take ${meanWithInterval(more)} cm more off the error than those that the network gives; ${more.filter((value) => value > 0).length} of ${more.length} seeds agree.

| Labels of | before | after | less | seeds with less |
|---|---|---|---|---|
${rows.join('\n')}`
}

const SECTIONS = {
  scenes: { heading: 'Self-calibration of point maps', make: scenes },
  ranks: { heading: 'What is gained and what is forgotten, by rank', make: ranks },
  distilled: { heading: 'Guidance in one call, by rank', make: distilled },
  poles: { heading: 'Encodings and the poles', make: poles },
  places: { heading: 'Places and their features', make: places },
  senses: { heading: 'Text in scenes with one sense alone', make: sensed },
  composed: { heading: 'Concepts in their boxes', make: composed },
  transcripts: { heading: 'Transcripts beside their longest frame', make: transcribed },
}

/** Each section's text, in their order; of one that was never made, none. */
const texts = new Map(
  Object.entries(SECTIONS).flatMap(([name, { heading }]) => {
    const old = new RegExp(`## ${heading}\n\n([^]*?)(?=\n## |$)`, 'u').exec(before)?.[1]?.trim()
    return old === undefined ? [] : [[name, old] as const]
  }),
)
for (const [name, { make }] of Object.entries(SECTIONS)) {
  if (asked.length > 0 && !asked.includes(name)) continue
  texts.set(name, await make())
  // What is there stays, should a later section be stopped.
  const written = Object.entries(SECTIONS).flatMap(([own, { heading }]) =>
    texts.has(own) ? `## ${heading}\n\n${texts.get(own)!}\n` : [],
  )
  writeFileSync(
    page,
    `# Findings on tasks

\`npm run findings\` printed this page. [Tasks](README.md) are small and trained here: nothing below is a figure of a paper.

${written.join('\n')}`,
  )
}
