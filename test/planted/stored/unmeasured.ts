/** @file Runs of which one fine-tune was never measured, beside one that is safe. */
import { cpSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import { plannedRows } from '../../doubles/rows/audit-rows.ts'
import { lmEvalLog, scores } from '../../doubles/rows/foreign-logs.ts'
import { runCommand } from '../../doubles/runs/command-line.ts'
import { audited, N, NONE, wide, type Decided, type Planted } from '../candidate.ts'
import { compared } from '../log-parts.ts'
import { inWindow } from './in-window.ts'
import { freshDatabase, writeRun } from './stored.ts'

const without = (seed: number, lost: number, isEvaluated: boolean) =>
  audited({
    seeds: [NONE, { lost, gained: 0 }],
    edit: (rows) => {
      const isKept = (row: { readonly seed: number }) => row.seed !== seed
      const evaluations = rows.evaluations.filter(isKept)
      if (isEvaluated) return { ...rows, evaluations }
      const [replies, verdicts] = [rows.replies.filter(isKept), rows.verdicts.filter(isKept)]
      return { ...rows, evaluations, replies, verdicts }
    },
  })

/** What the job was to measure, where it measured one training to step 40. */
const planned = (states: readonly (readonly [arm: string, seed: number, step: number])[]) =>
  audited({
    seeds: [NONE],
    edit: (rows) => ({
      ...rows,
      planned: states.map(([arm, seed, step]) => ({ arm, seed, step })),
    }),
  })

/** The folder of a stored run with the seeds that it planned and that it measured. */
function storedRun(planned: readonly number[], measured: readonly number[], i = 0): string {
  const arms = measured.map((seed) => ({
    ...{ arm: 'lora', seed },
    steps: { 40: { [wide.name]: NONE } },
  }))
  const rows = plannedRows({ benchmarks: [wide], arms })
  const states = planned.map((seed) => ({ arm: 'lora', seed, step: 40 }))
  const path = freshDatabase()
  writeRun(path, { ...rows, planned: states }, `run-${i}`, i)
  return dirname(path)
}

/** As `report --gate` ends on the folder of a run. */
async function reported(folder: string): Promise<Decided> {
  const gate = join(folder, 'gate.yaml')
  writeFileSync(gate, 'margin: 0.05\n')
  const asked = ['report', '--out-dir', folder, '--gate', gate]
  const { code, stdout } = await runCommand(asked, {}, COMMANDS)
  const outcome = { 0: 'PASS', 102: 'NOT COMPARABLE' }[code] ?? `exit code ${code}`
  return { outcome, sentence: stdout.split('\n', 1)[0]!, claims: [] }
}

/** Two of them, as `compare --gate` takes them. */
const beside = (
  ...runs: readonly (readonly [planned: readonly number[], measured: readonly number[]])[]
) => compared(runs.map(([planned, measured], i) => storedRun(planned, measured, i)))

/** Runs of one safe fine-tune and of others of which the last lost 120 of 400. */
const besideOf = (one: readonly Arm[], other: readonly Arm[]) =>
  compared(
    [one, other].map((arms, i) => {
      const path = freshDatabase()
      const stored = arms.map(([arm, seed, lost]) => ({
        ...{ arm, seed },
        steps: { 40: { [wide.name]: { lost, gained: 0 } } },
      }))
      writeRun(path, plannedRows({ benchmarks: [wide], arms: stored }), `run-${i}`, i)
      return dirname(path)
    }),
  )
type Arm = readonly [arm: string, seed: number, lost: number]
const SAFE: Arm = ['lora', 1, 0]

export const UNMEASURED: Planted[] = [
  [
    'a run that was killed before its only fine-tune',
    () => reported(storedRun([1], [])),
    /Only the base was measured/,
  ],
  ['a run that planned no fine-tune', () => reported(storedRun([], []))],
  [
    'a training that failed beside one that is safe',
    () => without(2, 0, false),
    /lora \(seed 2\).*was not measured/,
  ],
  [
    'an evaluation that never ended beside one that is safe',
    () => without(2, 300, true),
    /lora \(seed 2\).*was not measured/,
  ],
  [
    'a training that never began',
    () =>
      planned([
        ['lora', 1, 40],
        ['full', 1, 40],
      ]),
    /full \(seed 1\).*was not measured/,
  ],
  [
    'a seed that never began',
    () =>
      planned([
        ['lora', 1, 40],
        ['lora', 2, 40],
      ]),
    /seed 2/,
  ],
  ['a training that was stopped before its end', () => planned([['lora', 1, 80]]), /step 80/],
  [
    'a seed that never began, compared with another run',
    () =>
      beside(
        [
          [1, 2],
          [1, 2],
        ],
        [[1, 2], [1]],
      ),
    /seed 2\).*was not measured/,
  ],
  [
    'a bad seed that the other run has not',
    () => besideOf([SAFE], [SAFE, ['lora', 2, 120]]),
    /seed 2\).*nothing in/,
  ],
  [
    'a bad variant that the other run has not',
    () => besideOf([SAFE], [SAFE, ['full', 1, 120]]),
    /full \(seed 1\).*nothing in/,
  ],
  [
    'a bad variant beside a run that has its base alone in common',
    () => besideOf([SAFE], [['full', 1, 120]]),
    /full \(seed 1\).*nothing in/,
  ],
  [
    'one stored run on both sides',
    () => {
      const folder = storedRun([1], [1])
      return compared([folder, folder], [], [])
    },
    /Both sides are/,
  ],
  [
    'one stored run and a copy of its folder',
    () => {
      const folder = storedRun([1], [1])
      const copy = dirname(freshDatabase())
      cpSync(folder, copy, { recursive: true })
      return compared([folder, copy], [], ['base', 'base'])
    },
    /Both sides are/,
  ],
  [
    'one log on both sides',
    () => {
      const log = lmEvalLog({ metric: 'acc', scores: scores(N, 360) })
      return compared([log, log], [], [])
    },
    /Both sides are/,
  ],
  [
    'a seed that never began in the run that is compared with',
    () =>
      beside(
        [[1, 2], [1]],
        [
          [1, 2],
          [1, 2],
        ],
      ),
    /seed 2\).*was not measured/,
  ],
  [
    'a seed that never began, compared in the window',
    () => {
      const folder = storedRun([1, 2], [1])
      const own = { runId: 'run-0' }
      return inWindow(folder, { ...own, arm: 'base' }, { ...own, arm: 'lora' })
    },
    /seed 2\).*was not measured/,
  ],
]

export const MEASURED: Planted[] = [
  ['all that was planned', () => planned([['lora', 1, 40]])],
  [
    'all that two runs planned',
    () =>
      beside(
        [
          [1, 2],
          [1, 2],
        ],
        [
          [1, 2],
          [1, 2],
        ],
      ),
  ],
]
