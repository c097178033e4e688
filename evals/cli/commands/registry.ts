/** @file Every verb, in the order of help. */
import type { CommandEntry } from '../command.ts'

export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'quickstart',
    summary: 'Audit two fine-tunes of the bundled model, in a few minutes',
    load: async () => (await import('./quickstart.ts')).quickstart,
  },
  {
    name: 'audit',
    summary: 'Fine-tune a model, and say what that did to refusal, over-refusal and capability',
    load: async () => (await import('./audit.ts')).audit,
  },
  {
    name: 'train',
    summary: 'Fine-tune a model and keep the adapter or the weights',
    load: async () => (await import('./train.ts')).train,
  },
  {
    name: 'eval',
    summary: 'Evaluate a model, and fine-tunes of it that were made elsewhere',
    load: async () => (await import('./eval.ts')).evaluate,
  },
  {
    name: 'import',
    summary: 'Say what a benchmark file of yours is, and what it shares with others',
    load: async () => (await import('./import.ts')).importFile,
  },
  {
    name: 'data',
    summary: 'Look at fine-tuning data before learning from it: form, faults, what is learnt',
    load: async () => (await import('./data.ts')).data,
  },
  {
    name: 'inspect',
    summary: 'Say what a model or an adapter is, and what of it would be refused',
    load: async () => (await import('./inspect.ts')).inspectPath,
  },
  {
    name: 'spectral',
    summary: 'Compare the weights of fine-tunes with their base, direction by direction',
    load: async () => (await import('./spectral.ts')).spectral,
  },
  {
    name: 'mitigate',
    summary: 'Scale intruder dimensions of fine-tunes down, and measure what that gives back',
    load: async () => (await import('./mitigate.ts')).mitigate,
  },
  {
    name: 'sweep',
    summary: 'Run a grid of small fine-tunes or trials, and show what changes along its axes',
    load: async () => (await import('./sweep.ts')).sweep,
  },
  {
    name: 'cell',
    summary: 'Run one cell of a planned sweep, without a database',
    load: async () => (await import('./cell.ts')).cell,
  },
  {
    name: 'report',
    summary: 'Write the reports of a run again, from its database',
    load: async () => (await import('./report.ts')).report,
  },
  {
    name: 'compare',
    summary: 'Compare two runs prompt by prompt: flips, paired tests, intervals',
    load: async () => (await import('./compare.ts')).compare,
  },
  {
    name: 'plan',
    summary: 'Say how many prompts and seeds a question needs',
    load: async () => (await import('./plan.ts')).plan,
  },
  {
    name: 'export',
    summary: 'Write a run in the formats of other tools',
    load: async () => (await import('./export.ts')).exportRun,
  },
  {
    name: 'export-model',
    summary: 'Write a model with a fine-tune merged in: safetensors, GGUF or ONNX',
    load: async () => (await import('./export-model.ts')).exportModelCommand,
  },
  {
    name: 'certify',
    summary: 'Say whether a merged, converted or quantised model is what was measured',
    load: async () => (await import('./certify.ts')).certifyCommand,
  },
  {
    name: 'case',
    summary: 'Make one folder of a run that can be signed, sent and verified',
    load: async () => (await import('./case.ts')).caseRun,
  },
  {
    name: 'verify',
    summary: 'Say whether a case folder is what was signed',
    load: async () => (await import('./verify.ts')).verify,
  },
  {
    name: 'replay',
    summary: 'Do a stored run again, and say whether it gave the same bits',
    load: async () => (await import('./replay.ts')).replay,
  },
  {
    name: 'unblind',
    summary: 'Write the replies that are kept apart to a file, and say so in the log',
    load: async () => (await import('./unblind.ts')).unblind,
  },
  {
    name: 'label',
    summary: 'Write replies for people to label, and hold the judges to their labels',
    load: async () => (await import('./label.ts')).label,
  },
  {
    name: 'ls',
    summary: 'List runs',
    load: async () => (await import('./ls.ts')).ls,
  },
  {
    name: 'doctor',
    summary: 'Say what this machine can run, and what is missing',
    load: async () => (await import('./doctor.ts')).doctor,
  },
]
