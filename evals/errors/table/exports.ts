/** @file Errors of models written out, of ONNX graphs, and of logs and cases exchanged with other tools. */
import { entry } from './entry.ts'

export const EXPORTS_ERRORS = {
  'export.not-representable': entry((v: { weight: string; storage: string; value: string }) => ({
    message: `The weight "${v.weight}" holds ${v.value}, which ${v.storage} cannot hold.`,
    remedy: 'Export as f32 or bf16, or find out what made this weight so large in training.',
  })),
  'export.unsupported': entry(
    (v: { path: string; form: string; found: string; supported: string }) => ({
      message: `${v.path} cannot be written as ${v.form}: found ${v.found}; supported: ${v.supported}.`,
      remedy: 'Export it as a Hugging Face folder: --as f32, f16 or bf16.',
    }),
  ),
  'export.need-reason': entry((v: { path: string; because: string }) => ({
    message: `The weights at ${v.path} should have been deleted: ${v.because}.`,
    remedy: 'Give a reason for exporting them with --accept; it is logged with their run.',
  })),
  'onnx.refused': entry((v: { path: string; why: string }) => ({
    message: `ONNX Runtime refuses ${v.path}: ${v.why}.`,
    remedy: 'Export the model again, with onnxruntime 1.30 or an older operator set as its target.',
  })),
  'onnx.not-a-decoder': entry((v: { path: string; found: string; expected: string }) => ({
    message: `${v.path} is not a decoder that can be evaluated: found ${v.found}; expected ${v.expected}.`,
    remedy:
      'Export it with its cache under Optimum’s names: input_ids, attention_mask, position_ids, past_key_values.N.key, logits, present.N.key.',
  })),
  'onnx.no-gradient': entry((v: { path: string; operators: readonly string[] }) => ({
    message: `${v.path} cannot be fine-tuned. No gradient here for: ${v.operators.join('; ')}.`,
    remedy:
      'Fine-tune the Hugging Face folder that it was exported from, or export it with standard operators alone; it can be evaluated as it is.',
  })),
  'interchange.malformed': entry((v: { path: string; found: string; expected: string }) => ({
    message: `${v.path} cannot be read as a log: found ${v.found}; expected ${v.expected}.`,
    remedy: 'Write the log again with the tool that made it; nothing was imported.',
  })),
  'interchange.unrecognised': entry((v: { path: string; supported: string }) => ({
    message: `${v.path} is no log that Touchstone can read; supported: ${v.supported}.`,
    remedy: 'Name a file or folder in one of these formats.',
  })),
  'interchange.metric': entry((v: { path: string; name: string; why: string }) => ({
    message: `The metric "${v.name}" of ${v.path} could mean harm or its absence: ${v.why}.`,
    remedy: `Say which is better and in which role, such as --metric ${v.name}=lower:refusal for attacks that succeed, or ${v.name}=higher:capability for right answers.`,
  })),
  'interchange.nothing': entry((v: { run: string }) => ({
    message: `The run ${v.run} holds no finished evaluation, so there is nothing to write.`,
    remedy: 'Choose a run of audit or eval that ended; touchstone ls lists them.',
  })),
  'model.unsigned': entry((v: { path: string; why: string }) => ({
    message: `The files of ${v.path} cannot be listed for signing: ${v.why}.`,
    remedy: 'Name a folder of plain files, such as a copy of the model without links.',
  })),
  'case.changed': entry((v: { path: string; why: string }) => ({
    message: `${v.path} is not what was signed: ${v.why}.`,
    remedy: 'Ask its author for the folder again, and do not rely on this one.',
  })),
  'case.older': entry(
    (v: { path: string; run: string; number: number | null; newest: number; when: string }) => ({
      message: `${v.path} is whole, but it is an older case of ${v.run}: ${v.number === null ? 'it has no number' : `number ${v.number}`}, and number ${v.newest} was made at ${v.when}.`,
      remedy: 'Ask its author for the newest one; the run’s log names the SHA-256 of its manifest.',
    }),
  ),
  'case.key': entry((v: { path: string; why: string }) => ({
    message: `The key ${v.path} cannot be used: ${v.why}.`,
    remedy: 'Make a pair of keys with: touchstone case --new-key FILE.',
  })),
  'replay.not-possible': entry((v: { run: string; why: string }) => ({
    message: `The run ${v.run} cannot be repeated: ${v.why}.`,
    remedy: 'Choose a finished run of this version; touchstone ls lists them.',
  })),
} as const
