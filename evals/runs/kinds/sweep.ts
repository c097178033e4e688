/** @file `touchstone sweep`: a grid of small fine-tunes or trials, each run once. */
import { anyJobKind } from '../../contract/job.ts'
import { armsOf } from '../../audit/tasks/arms.ts'
import { TaskConfig } from '../../audit/tasks/config.ts'
import { findTask } from '../../audit/tasks/registry.ts'
import { usageError } from '../../errors/touchstone-error.ts'
import { lora } from '../../finetune/methods/lora.ts'
import { planCells } from '../../sweeps/cells/cell.ts'
import { SweepConfig } from '../../sweeps/config.ts'
import { findPreset } from '../../sweeps/presets.ts'
import { findTestbed } from '../../sweeps/testbeds/find-testbed.ts'
import { saidOf } from '../options/arguments.ts'
import type { JobVerb } from './job-verb.ts'

/** The only model whose sweeps need no purpose, because they say nothing about other models. */
const BUNDLED = 'pebble'

export const sweepVerb: JobVerb = {
  remark:
    'Cells that were run before are not run again; an interrupted sweep goes on by the same command.\nSweeps of any model but pebble need --purpose.',
  examples: [
    'touchstone sweep --preset pebble-rank',
    'touchstone sweep --preset double-descent-rf --out-dir out/rf',
    'touchstone sweep --task satclip --axis rank=1..64 --seeds 0..2',
    'touchstone sweep --preset double-descent-digits --plan-power',
    'touchstone sweep --preset double-descent-digits --axis label-noise=0,0.2,0.4',
    'touchstone sweep --model pebble --data house-tamper --methods lora --axis rank=1..64 --seeds 0..4',
  ],
  schema: SweepConfig,
  kind: async () => anyJobKind((await import('../../sweeps/job.ts')).sweepJob),
  writesReports: true,
  resumesByItself: true,
  presetNamed(argv, environment) {
    const task = saidOf(argv, 'task').at(-1)
    if (task !== undefined) return presetOfTask(task)
    const name = saidOf(argv, 'preset').at(-1) ?? environment['TOUCHSTONE_PRESET']
    return name ? findPreset(name) : undefined
  },
  onlyPlans: (config) => (config as SweepConfig).planPower,
  check: (config) => checkSweep(config as SweepConfig),
}

export function checkSweep(config: SweepConfig): void {
  const { testbed, task, model, data, methods, purpose } = config
  const invalid = (problem: string, remedy: string) => usageError(problem, remedy)
  const named = [testbed, task, model].filter((name) => name !== null)
  if (named.length !== 1) {
    throw invalid(
      named.length === 0
        ? 'There is nothing to sweep over: no model, no task and no testbed was named.'
        : 'A sweep is over a model, a task or a testbed, and more than one was named.',
      'Name --model PATH with --data and --methods, or --task NAME, or --testbed NAME, or --preset NAME.',
    )
  }
  if (task !== null) checkTask(config, task)
  if (testbed !== null) checkTestbed(config, testbed)
  if (model !== null && (data === null || methods.length === 0)) {
    throw invalid(
      'A sweep over a model fine-tunes it, and the data or the methods are missing.',
      'Add --data FILE and --methods lora.',
    )
  }
  if (model !== null && model !== BUNDLED && purpose === null) {
    throw invalid(
      'A sweep over a model that people use needs a purpose, which is stored with it.',
      'Add --purpose TEXT: why it is run, and for whom.',
    )
  }
  if (config.pilot !== null && !config.planPower)
    throw invalid('--pilot is read by --plan-power alone.', 'Add --plan-power, or leave it out.')
  // Cells are planned once without digests, so that a wrong axis is an error before anything is opened.
  planCells(config, { base: null, data: null, prompts: null, numerics: '' })
}

/** LoRA at the task's own settings. */
function presetOfTask(name: string) {
  return {
    task: name,
    methods: [{ name: lora.name, config: {} }],
    training: findTask(name).training.arm,
  }
}

function checkTestbed({ data, methods }: SweepConfig, testbed: string): void {
  const { tunes } = findTestbed(testbed)
  if (data !== null || (!tunes && methods.length > 0))
    throw usageError('A testbed has no data and no methods.', 'Leave --data and --methods out.')
  if (tunes && methods.length === 0)
    throw usageError('This testbed fine-tunes, and no method was named.', 'Add --methods lora.')
}

function checkTask({ data, methods }: SweepConfig, task: string): void {
  if (data !== null)
    throw usageError('A task brings its own data.', 'Leave --data out; --file belongs to `task`.')
  if (armsOf(TaskConfig.parse({ task, methods, ranks: [] })).length === 0)
    throw usageError('No method was named.', 'Add --methods lora.')
}
