/** @file Errors of training, spectra and sweeps. */
import { entry } from './entry.ts'

export const TRAINING_ERRORS = {
  'training.not-finite': entry((v: { step: number; what: string; checkpoint: string }) => ({
    message: `Training stopped at step ${v.step}: ${v.what} is not a finite number.`,
    remedy: `Lower --learning-rate; the last good checkpoint is kept at ${v.checkpoint}.`,
  })),
  'training.unchanged': entry((v: { arm: string; steps: number }) => ({
    message: `${v.arm} changes nothing that float32 can hold up to step ${v.steps}, so there is nothing to measure: what changed nothing passes.`,
    remedy:
      'Give more --steps (the first of --warmup-steps has the rate 0), or raise --learning-rate or --alpha: 2e-4 and 16 are usual.',
  })),
  'training.resume-mismatch': entry((v: { field: string; saved: string; asked: string }) => ({
    message: `The checkpoint was made with ${v.field} = ${v.saved}, and this run asks for ${v.asked}.`,
    remedy: 'Resume with the same settings, or start a new run in another --out-dir.',
  })),
  'training.not-separable': entry((v: { method: string; why: string }) => ({
    message: `${v.method} cuts heads and channels of decoders with q, k, v, o, gate, up and down projections; of this model ${v.why}.`,
    remedy:
      'Choose another method, such as lora, or a model of the Llama, Mistral, Qwen or Gemma family.',
  })),
  'training.small-base': entry((v: { method: string }) => ({
    message: `${v.method} trains or changes the weights of the base, which --base-precision stores in fewer bits.`,
    remedy:
      'Use --base-precision fp32, or a method that leaves the base as it is: lora, rslora, dora.',
  })),
  'training.approximate-forward': entry((v: { why: string; remedy: string }) => ({
    message: `The forward pass cannot be made in int8: ${v.why}.`,
    remedy: v.remedy,
  })),
  'training.no-target': entry((v: { targets: string; known: readonly string[] }) => ({
    message: `No layer of the model matches the target modules ${v.targets}.`,
    remedy:
      v.known.length > 0
        ? `Name some of: ${v.known.join(', ')}.`
        : 'It has no layer but its head: train it whole, with --methods full.',
  })),
  'spectrum.not-finite': entry(
    (v: { weight: string; found: string; row: number; column: number }) => ({
      message: `The weight "${v.weight}" holds ${v.found} at row ${v.row}, column ${v.column}, so it has no singular values.`,
      remedy: 'Scan an earlier checkpoint, and find out where training diverged.',
    }),
  ),
  'spectrum.other-shape': entry((v: { weight: string; tuned: number; base: string }) => ({
    message: `The tuned weight "${v.weight}" holds ${v.tuned} numbers; the base has ${v.base}.`,
    remedy: 'Compare a model with the base that it was tuned from.',
  })),
  'spectrum.zero-base': entry((v: { weight: string }) => ({
    message: `The base weight "${v.weight}" is zero everywhere, so nothing can be compared with it.`,
    remedy: 'Check that the base checkpoint holds trained weights, or leave this weight out.',
  })),
  'federation.few-rows': entry((v: { clients: number; rows: number }) => ({
    message: `${v.clients} clients cannot share ${v.rows} rows: each needs at least one.`,
    remedy: `Give --clients up to ${v.rows}, or more data.`,
  })),
  'federation.empty-client': entry((v: { clients: number; alpha: number; groups: number }) => ({
    message: `No draw of Dirichlet(${v.alpha}) over ${v.groups} groups of rows left every one of ${v.clients} clients a row.`,
    remedy: 'Raise --dirichlet-alpha, or lower --clients.',
  })),
  'federation.ranks-differ': entry(
    (v: { client: number; name: string; found: string; expected: string }) => ({
      message: `Client ${v.client} sends ${v.name} as ${v.found}, and the server averages it as ${v.expected}.`,
      remedy: 'Give all clients one rank, or use a strategy that mixes ranks.',
    }),
  ),
  'federation.not-finite': entry((v: { strategy: string; client: number; round: number }) => ({
    message: `${v.strategy}: what client ${v.client} sent in round ${v.round} holds a number that is not finite.`,
    remedy: 'Lower --learning-rate, or look at the rows of that client.',
  })),
  'federation.bad-clients': entry((v: { model: string }) => ({
    message: `Clients with data that erodes refusal exist on the bundled model alone, and the model is ${v.model}.`,
    remedy: 'Leave --bad-clients and tampering data out, or use --model pebble.',
  })),
  'federation.worker-died': entry(
    (v: { client: number; round: number; how: string; said: string }) => ({
      message: `The process of client ${v.client} ended twice in round ${v.round} (${v.how})${v.said === '' ? '' : `: ${v.said}`}.`,
      remedy: 'Lower --jobs if memory is short, then run the same command with --resume.',
    }),
  ),
  'sweep.plan': entry((v: { path: string; line: number; why: string }) => ({
    message: `${v.path}, line ${v.line}: this plan of a sweep cannot be used: ${v.why}.`,
    remedy: 'Plans are not edited by hand: run touchstone sweep again with other settings.',
  })),
  'sweep.no-cell': entry((v: { path: string; index: number; cells: number }) => ({
    message: `${v.path} holds ${v.cells} cells, and none has the index ${v.index}.`,
    remedy: `Give --index from 0 to ${Math.max(0, v.cells - 1)}.`,
  })),
  'sweep.changed': entry((v: { what: string }) => ({
    message: `${v.what} has changed since the sweep was planned.`,
    remedy:
      'Put the files back, or run touchstone sweep again, which plans with the current files.',
  })),
  'elsewhere.died': entry((v: { arm: string; how: string; said: string }) => ({
    message: `The process of ${v.arm} ended twice (${v.how})${v.said === '' ? '' : `: ${v.said}`}.`,
    remedy: 'Give it more memory or time (--scheduler-option), then run the same with --resume.',
  })),
  'elsewhere.failed': entry((v: { arm: string; message: string; remedy: string }) => ({
    message: `${v.arm} failed and said “${v.message}”.`,
    remedy: v.remedy,
  })),
  'slurm.missing': entry((v: { command: string }) => ({
    message: `Slurm’s command ${v.command} is not on this machine.`,
    remedy: 'Run this on a node from which jobs are submitted, or leave --on slurm out.',
  })),
  'slurm.refused': entry((v: { command: string; said: string }) => ({
    message: `Slurm’s ${v.command} failed and said “${v.said}”.`,
    remedy:
      'Look at --partition and --scheduler-option, and whether sinfo shows nodes; then run the same command with --resume.',
  })),
  'sweep.worker-died': entry((v: { how: string; said: string }) => ({
    message: `The process of this cell ended twice (${v.how})${v.said === '' ? '' : `: ${v.said}`}.`,
    remedy: 'Lower --jobs if memory is short, then run the same command with --retry-errors.',
  })),
} as const
