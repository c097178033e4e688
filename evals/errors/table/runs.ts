/** @file Errors of gates, runs, their database and their weights. */
import { entry } from './entry.ts'

export const RUNS_ERRORS = {
  'gate.unusable': entry((v: { path: string; why: string }) => ({
    message: `${v.path} is not a gate: ${v.why}.`,
    remedy:
      'Give a YAML or JSON file such as {"alpha": 0.05, "benchmarks": {"house-refusal": {"margin": 0.03}}}.',
  })),
  'gate.not-measured': entry(
    (v: { what: string; name: string; near: readonly string[]; known: readonly string[] }) => ({
      message: `The gate names the ${v.what} "${v.name}", which this run does not have.`,
      remedy: `${v.near.length > 0 ? `Did you mean ${v.near.join(' or ')}?` : `It has: ${v.known.join(', ')}.`} Name one that it has; --suite and --judge add others.`,
    }),
  ),
  'plan.unusable': entry((v: { path: string; why: string }) => ({
    message: `${v.path} is not a plan: ${v.why}.`,
    remedy: 'Make one with: touchstone gate freeze gate.yaml --suite SUITE -o plan.signed.',
  })),
  'plan.changed': entry((v: { path: string; why: string; parts: readonly string[] }) => ({
    message: `${v.path} is not what was frozen: ${[...v.parts, v.why].join(', ')}.`,
    remedy: 'Use the file as it was frozen, or freeze another plan before anything is asked.',
  })),
  'compare.nothing-shared': entry((v: { before: string; after: string; why: string }) => ({
    message: `${v.before} and ${v.after} share nothing that could be compared: ${v.why}.`,
    remedy: 'Name two runs with the same benchmarks and judges, and choose variants with --arms.',
  })),
  'compare.left-out': entry((v: { state: string; before: string; after: string }) => ({
    message: `${v.state} of ${v.after} has nothing in ${v.before} to be held against, so the gate would say nothing of it.`,
    remedy:
      'Choose what is held against what with --arms: base,VARIANT holds every seed of a variant against the base.',
  })),
  'compare.two-meanings': entry(
    (v: { name: string; meaning: string; where: string; other: string; elsewhere: string }) => ({
      message: `The metric "${v.name}" is ${v.meaning} ${v.where} and ${v.other} ${v.elsewhere}.`,
      remedy: 'Leave out the one that is wrong: a gate says the same whoever runs it.',
    }),
  ),
  'compare.one-state': entry((v: { state: string; origin: string }) => ({
    message: `Both sides are ${v.state} of ${v.origin}, so nothing was compared and there is nothing to gate.`,
    remedy:
      'Name two runs, or hold a fine-tune against the base of its own run: touchstone compare RUN RUN --arms base,VARIANT.',
  })),
  'compare.one-model': entry((v: { before: string; after: string }) => ({
    message: `${v.before} and ${v.after} have the same weights, so nothing changed and there is nothing to gate.`,
    remedy:
      'Name the run of the fine-tune, and with --arms base,VARIANT which of its states; --allow-differences compares two settings of one model.',
  })),
  'compare.copied': entry(
    (v: { rows: string; before: string; after: string; id: string; sample: string }) => ({
      message: `${v.rows} of ${v.after} and of ${v.before} bear the same random id, such as ${v.id} (${v.sample}): they were copied from one to the other.`,
      remedy: 'Evaluate both models, and compare the logs as their tool wrote them.',
    }),
  ),
  'compare.looked': entry((v: { origin: string; benchmark: string; looks: string }) => ({
    message: `${v.origin} was exported from a run in which ${v.benchmark} was looked at more than once (${v.looks}); a log does not hold its looks, which have spent α.`,
    remedy:
      'Compare the run itself, which holds them: touchstone compare RUN RUN --arms base,VARIANT.',
  })),
  'compare.cached': entry((v: { replies: string; origin: string; name: string }) => ({
    message: `${v.replies} of ${v.origin} came, or may have come, from a cache, and both sides name "${v.name}": they may be those of the model on the other side.`,
    remedy:
      'Evaluate again without the cache: promptfoo eval --no-cache, lm-eval without --use_cache, Inspect with cache=False.',
  })),
  'run.not-found': entry((v: { run: string; where: string }) => ({
    message: `There is no run "${v.run}" in ${v.where}.`,
    remedy: 'List the runs with: touchstone ls --out-dir DIR.',
  })),
  'run.exists': entry((v: { path: string; why: string }) => ({
    message: `${v.path} already holds a run: ${v.why}.`,
    remedy: 'Add --resume to continue it, or choose another --out-dir.',
  })),
  'run.not-resumable': entry((v: { run: string; why: string }) => ({
    message: `The run ${v.run} cannot be resumed: ${v.why}.`,
    remedy: 'List the runs with touchstone ls, or leave --resume out to begin a new one.',
  })),
  'run.not-ended': entry((v: { run: string }) => ({
    message: `The run ${v.run} has not ended, so nothing can be added to it.`,
    remedy: 'Finish it with --resume first.',
  })),
  'certificate.other-run': entry((v: { run: string; path: string }) => ({
    message: `The certificate of ${v.path} is not kept: ${v.run} measured neither what was to be certified nor what ships.`,
    remedy: 'Name with --run the run that measured it (touchstone ls), or leave --run out.',
  })),
  'run.nothing-to-judge': entry((v: { run: string; judge: string; why: string }) => ({
    message: `The judge ${v.judge} has nothing to judge in ${v.run}: ${v.why}.`,
    remedy: 'Name another judge; touchstone judge --help lists how.',
  })),
  'run.no-cause': entry((v: { run: string; why: string }) => ({
    message: `No cause can be looked for in ${v.run}: ${v.why}.`,
    remedy: 'Name a run of touchstone audit whose fine-tune was trained there and lost refusal.',
  })),
  'run.few-prompts': entry((v: { run: string; least: number }) => ({
    message: `No direction can be made of what ${v.run} asked: of bundled prompts it takes ${v.least} that should be refused and as many that should be answered.`,
    remedy:
      'Audit with house-refusal and house-overrefusal, or the suite general, and a larger --limit.',
  })),
  'run.other-inputs': entry((v: { run: string; what: string }) => ({
    message: `${v.what} of ${v.run} changed since it ran, so its fine-tunes cannot be made again.`,
    remedy: 'Put back what the run read, or audit what is there now and look into that run.',
  })),
  'run.resumed-other': entry((v: { run: string; what: string }) => ({
    message: `${v.what} changed since ${v.run} was interrupted: what it measured before is of other files.`,
    remedy:
      'Put back what the run read and resume it, or begin a new run in another folder (--out-dir).',
  })),
  'run.in-use': entry((v: { run: string }) => ({
    message: `The run ${v.run} is being written to.`,
    remedy: 'Stop its job first.',
  })),
  'run.not-deleted': entry((v: { run: string }) => ({
    message: `The run ${v.run} is not deleted, so it is not removed for good.`,
    remedy: 'Delete it first; deleting can be undone until the run is removed for good.',
  })),
  'output.unwritable': entry((v: { path: string; why: string }) => ({
    message: `${v.path} cannot be written: ${v.why}.`,
    remedy: 'Check the folder and the space on its disk, then run the same command with --resume.',
  })),
  'store.missing': entry((v: { path: string }) => ({
    message: `There is no database at ${v.path}.`,
    remedy: 'Give --out-dir the folder of an earlier run.',
  })),
  'kept.differs': entry((v: { sample: string; benchmark: string; run: string }) => ({
    message: `The base answers ${v.sample} of ${v.benchmark} otherwise than run ${v.run} kept it.`,
    remedy:
      'Run it with --ask-again. The model, the machine or the kept answers changed in a way that no digest shows: find out which before you trust what run has reused them.',
  })),
  'store.newer': entry((v: { path: string; found: number; known: number }) => ({
    message: `${v.path} was written by a newer Touchstone (schema ${v.found}; this one knows ${v.known}).`,
    remedy: 'Open it with that version, or choose another --out-dir.',
  })),
  'store.unreadable': entry((v: { path: string; why: string }) => ({
    message: `The database ${v.path} cannot be used: ${v.why}.`,
    remedy: 'Restore it from a copy, or move it away and choose another --out-dir.',
  })),
  'store.busy': entry((v: { path: string }) => ({
    message: `Another process is writing to ${v.path}.`,
    remedy: 'Wait until it has ended, or choose another --out-dir.',
  })),
  'store.full': entry((v: { path: string }) => ({
    message: `The disk that holds ${v.path} is full.`,
    remedy: 'Free some space, then run the same command with --resume.',
  })),
  'weights.need-reason': entry((v: { run: string }) => ({
    message: `The weights of ${v.run} were kept although they should be deleted after measuring.`,
    remedy: 'Give a reason for writing them out; it is logged with the run.',
  })),
  'weights.gone': entry((v: { run: string }) => ({
    message: `The run ${v.run} has no weights to write out.`,
    remedy: 'Train again with a reason to keep weights, or use a run that kept them.',
  })),
} as const
