/** @file Errors of writing models out, and of certifying what was written. */
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
} as const
