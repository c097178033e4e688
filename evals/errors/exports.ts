/** @file Errors of writing models out, of certifying what was written, and of ONNX graphs that are opened. */
import { entry } from './entry.ts'

export const EXPORT_ERRORS = {
  'export.not-representable': entry((v: { weight: string; storage: string; value: string }) => ({
    message: `The weight "${v.weight}" holds ${v.value}, which ${v.storage} cannot hold.`,
    remedy: 'Export as f32 or bf16, or look in the training for what made this weight so large.',
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
    message: `${v.path} is no decoder that can be asked: found ${v.found}; expected ${v.expected}.`,
    remedy:
      'Export it with its cache under Optimum’s names: input_ids, attention_mask, position_ids, past_key_values.N.key, logits, present.N.key.',
  })),
  'onnx.no-gradient': entry((v: { path: string; operators: readonly string[] }) => ({
    message: `${v.path} cannot be fine-tuned. No gradient here for: ${v.operators.join('; ')}.`,
    remedy:
      'Fine-tune the Hugging Face folder that it was exported from, or export it with standard operators alone; it can be evaluated as it is.',
  })),
} as const
