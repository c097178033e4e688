/** @file Every verb, in the order of help. */
import type { Command, CommandEntry } from '../command.ts'
import type { JobVerb } from '../../runs/kinds/job-verb.ts'

/** What jobs need is loaded with the verb: help and `doctor` need none of it. */
async function asCommand(load: () => Promise<JobVerb>): Promise<Command> {
  const { jobCommand } = await import('../job-command.ts')
  return jobCommand(await load())
}

export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'quickstart',
    summary: 'Audit two fine-tunes of the bundled model, in a few minutes',
    load: () =>
      asCommand(async () => (await import('../../runs/kinds/quickstart.ts')).quickstartVerb),
  },
  {
    name: 'audit',
    summary: 'Fine-tune a model, and say what that did to refusal, over-refusal and capability',
    load: () => asCommand(async () => (await import('../../runs/kinds/audit.ts')).auditVerb),
  },
  {
    name: 'train',
    summary: 'Fine-tune a model and keep the adapter or the weights',
    load: () => asCommand(async () => (await import('../../runs/kinds/train.ts')).trainVerb),
  },
  {
    name: 'eval',
    summary: 'Evaluate a model, and fine-tunes of it that were made elsewhere',
    load: () => asCommand(async () => (await import('../../runs/kinds/eval.ts')).evaluateVerb),
  },
  {
    name: 'import',
    summary: 'Say what a benchmark file of yours is, and what it shares with others',
    load: async () => (await import('./exchange/import.ts')).importFile,
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
    load: async () => (await import('./jobs/spectral.ts')).spectral,
  },
  {
    name: 'mitigate',
    summary: 'Scale intruder dimensions of fine-tunes down, and measure what that gives back',
    load: () => asCommand(async () => (await import('../../runs/kinds/mitigate.ts')).mitigateVerb),
  },
  {
    name: 'sweep',
    summary: 'Run a grid of small fine-tunes or trials, and show what changes along its axes',
    load: async () => (await import('./jobs/sweep.ts')).sweep,
  },
  {
    name: 'cell',
    summary: 'Run one cell of a planned sweep, without a database',
    load: async () => (await import('./jobs/cell.ts')).cell,
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
    summary: 'Say how many prompts and seeds a question needs',
    load: async () => (await import('./results/plan.ts')).plan,
  },
  {
    name: 'export',
    summary: 'Write a run in the formats of other tools',
    load: async () => (await import('./exchange/export.ts')).exportRun,
  },
  {
    name: 'export-model',
    summary: 'Write a model with a fine-tune merged in: safetensors, GGUF or ONNX',
    load: async () => (await import('./exchange/export-model.ts')).exportModelCommand,
  },
  {
    name: 'certify',
    summary: 'Say whether a merged, converted or quantised model is what was measured',
    load: async () => (await import('./exchange/certify.ts')).certifyCommand,
  },
  {
    name: 'case',
    summary: 'Make one folder of a run that can be signed, sent and verified',
    load: async () => (await import('./exchange/case.ts')).caseRun,
  },
  {
    name: 'verify',
    summary: 'Say whether a case folder is what was signed',
    load: async () => (await import('./exchange/verify.ts')).verify,
  },
  {
    name: 'replay',
    summary: 'Do a stored run again, and say whether it gave the same bits',
    load: async () => (await import('./exchange/replay.ts')).replay,
  },
  {
    name: 'unblind',
    summary: 'Write the replies that are kept apart to a file, and say so in the log',
    load: async () => (await import('./results/unblind.ts')).unblind,
  },
  {
    name: 'label',
    summary: 'Write replies for people to label, and hold the judges to their labels',
    load: async () => (await import('./results/label.ts')).label,
  },
  {
    name: 'ls',
    summary: 'List runs',
    load: async () => (await import('./results/ls.ts')).ls,
  },
  {
    name: 'doctor',
    summary: 'Say what this machine can run, and what is missing',
    load: async () => (await import('./doctor.ts')).doctor,
  },
]
