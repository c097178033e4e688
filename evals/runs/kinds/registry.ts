/** @file Every verb that runs a job, in the order of help. The window starts those that `JOB_KINDS` names. */
import type { JobVerb } from './job-verb.ts'

interface JobEntry {
  readonly name: string
  /** A noun for lists: `Audit of MODEL`. */
  readonly title: string
  readonly summary: string
  /** Loaded when the verb is used, because loading all schemas would slow every command down. */
  readonly load: () => Promise<JobVerb>
  /** Its runs cannot be repeated by `replay`, because their results are files, not rows. */
  readonly isOnce?: true
}

export const JOB_VERBS: readonly JobEntry[] = [
  {
    name: 'quickstart',
    title: 'Quickstart',
    summary: 'Audit two fine-tunes of the bundled model, in a few minutes',
    load: async () => (await import('./quickstart.ts')).quickstartVerb,
  },
  {
    name: 'audit',
    title: 'Audit',
    summary: 'Fine-tune a model and measure refusal, over-refusal and capability before and after',
    load: async () => (await import('./audit.ts')).auditVerb,
  },
  {
    name: 'task',
    title: 'Task',
    summary:
      'Train and audit a small model that is no language model: what a fine-tune gains and forgets',
    load: async () => (await import('./task.ts')).taskVerb,
  },
  {
    name: 'train',
    title: 'Fine-tune',
    summary: 'Fine-tune a model and keep the adapter or the weights; nothing is evaluated',
    load: async () => (await import('./train.ts')).trainVerb,
  },
  {
    name: 'federate',
    title: 'Federation',
    summary:
      'Fine-tune with many clients in rounds, and measure each round of each way of aggregating',
    load: async () => (await import('./federate.ts')).federateVerb,
  },
  {
    name: 'eval',
    title: 'Evaluation',
    summary: 'Evaluate a model, and fine-tunes of it that were made elsewhere',
    load: async () => (await import('./eval.ts')).evaluateVerb,
  },
  {
    name: 'spectral',
    title: 'Spectra',
    summary: 'Compare the weights of fine-tunes with their base, direction by direction',
    load: async () => (await import('./spectral.ts')).spectralVerb,
  },
  {
    name: 'mitigate',
    title: 'Mitigation',
    summary:
      'Try remedies of a run’s fine-tunes, or of your own, beside controls; no weights are kept',
    load: async () => (await import('./mitigate.ts')).mitigateVerb,
  },
  {
    name: 'attribute',
    title: 'Rows that did it',
    summary: 'Rank the rows of a fine-tune by how they took refusal, and train again without them',
    load: async () => (await import('./attribute.ts')).attributeVerb,
    isOnce: true,
  },
  {
    name: 'locate',
    title: 'Weights that did it',
    summary:
      'Put parts of a fine-tune’s change back, and find the smallest set that restores refusal',
    load: async () => (await import('./locate.ts')).locateVerb,
    isOnce: true,
  },
  {
    name: 'direction',
    title: 'Direction of refusal',
    summary: 'Hold the direction of refusal of fine-tunes beside the base’s, and test for removal',
    load: async () => (await import('./direction.ts')).directionVerb,
    isOnce: true,
  },
  {
    name: 'judge',
    title: 'Judging',
    summary: 'Judge the stored replies of a run again, by further judges; nothing is generated',
    load: async () => (await import('./judge.ts')).judgeVerb,
    isOnce: true,
  },
  {
    name: 'sweep',
    title: 'Sweep',
    summary: 'Run a grid of small fine-tunes or trials, and show what changes along its axes',
    load: async () => (await import('./sweep.ts')).sweepVerb,
    isOnce: true,
  },
  {
    name: 'budget',
    title: 'Budget',
    summary: 'Search for the smallest fine-tune of Pebble at which the gate says FAIL',
    load: async () => (await import('./budget.ts')).budgetVerb,
    isOnce: true,
  },
]
