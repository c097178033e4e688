/** @file Every verb with its summary, in the order of help; its file is loaded when it is used. */
import { JOB_VERBS } from '../../runs/kinds/registry.ts'
import type { CommandEntry } from '../command.ts'

export const COMMANDS: readonly CommandEntry[] = [
  ...JOB_VERBS.map(({ name, summary, load }) => ({
    name,
    summary,
    load: async () => (await import('../job-command.ts')).jobCommand(name, await load()),
  })),
  {
    name: 'import',
    summary: 'Describe a benchmark file: rows, categories, digest, overlap with others, licence',
    load: async () => (await import('./exchange/import.ts')).importFile,
  },
  {
    name: 'data',
    summary: 'Check fine-tuning data: format, faults, and the tokens that a model would learn',
    load: async () => (await import('./data.ts')).data,
  },
  {
    name: 'inspect',
    summary: 'Describe a model or an adapter, and what of it would be refused',
    load: async () => (await import('./inspect.ts')).inspectPath,
  },
  {
    name: 'cell',
    summary: 'Run one cell of a planned sweep, without a database',
    load: async () => (await import('./cell.ts')).cell,
  },
  {
    name: 'report',
    summary: 'Write the reports of a run again, from its database',
    load: async () => (await import('./results/report.ts')).report,
  },
  {
    name: 'compare',
    summary: 'Compare two runs prompt by prompt: flips, paired tests, intervals',
    load: async () => (await import('./results/compare.ts')).compare,
  },
  {
    name: 'plan',
    summary: 'Compute how many prompts and seeds a question needs, from exact power',
    load: async () => (await import('./results/plan.ts')).plan,
  },
  {
    name: 'export',
    summary:
      'Write a run as a model card or in the formats of Inspect, lm-eval, Every Eval Ever, JUnit',
    load: async () => (await import('./exchange/export.ts')).exportRun,
  },
  {
    name: 'export-model',
    summary: 'Write a model with a fine-tune merged in: safetensors, GGUF, ONNX or ORT-GenAI',
    load: async () => (await import('./exchange/export-model.ts')).exportModelCommand,
  },
  {
    name: 'merge',
    summary: 'Make one adapter of several: by sums, singular values, TIES, DARE or LEGO',
    load: async () => (await import('./exchange/merge.ts')).mergeCommand,
  },
  {
    name: 'generate',
    summary: 'Make an adapter for a task from adapters of other tasks, with two controls beside it',
    load: async () => (await import('./exchange/generate.ts')).generateCommand,
  },
  {
    name: 'certify',
    summary: 'Test whether a merged, converted or quantised model is what was measured',
    load: async () => (await import('./exchange/certify.ts')).certifyCommand,
  },
  {
    name: 'gate',
    summary: 'Freeze a gate, prompts, judges and stopping rule into a signed plan before a run',
    load: async () => (await import('./exchange/gate.ts')).gate,
  },
  {
    name: 'case',
    summary: 'Make one folder of a run that can be signed, sent and verified',
    load: async () => (await import('./exchange/case.ts')).caseRun,
  },
  {
    name: 'verify',
    summary: 'Test whether a case folder or a plan is, byte for byte, what was signed',
    load: async () => (await import('./exchange/verify.ts')).verify,
  },
  {
    name: 'replay',
    summary: 'Repeat a stored run and test whether it gives the same bits',
    load: async () => (await import('./exchange/replay.ts')).replay,
  },
  {
    name: 'unblind',
    summary: 'Write the sealed replies to a file, and record that in the log',
    load: async () => (await import('./results/unblind.ts')).unblind,
  },
  {
    name: 'label',
    summary: 'Write replies for people to label, and compare the judges with their labels',
    load: async () => (await import('./results/label.ts')).label,
  },
  {
    name: 'ls',
    summary: 'List runs: when, how they ended, the verdict',
    load: async () => (await import('./results/ls.ts')).ls,
  },
  {
    name: 'doctor',
    summary: 'List what this machine can run, and what is missing',
    load: async () => (await import('./doctor.ts')).doctor,
  },
  {
    name: 'check-install',
    summary: 'Test whether the installation is whole and evaluates the bundled model',
    load: async () => (await import('./doctor.ts')).checkInstall,
  },
  {
    name: 'ci',
    summary: 'Write the pipeline of GitHub or GitLab that holds a fine-tune to a gate',
    load: async () => (await import('./exchange/ci.ts')).ci,
  },
]
