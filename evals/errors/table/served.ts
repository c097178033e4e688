/** @file Errors of models behind an address. Nothing that a server wrote is quoted but names that it calls itself by. */
import { entry } from './entry.ts'

export const SERVED_ERRORS = {
  'served.address': entry((v: { address: string; why: string; remedy: string }) => ({
    message: `${v.address} cannot be asked: ${v.why}.`,
    remedy: v.remedy,
  })),
  'served.failed': entry((v: { address: string; what: string; why: string }) => ({
    message: `${v.address} did not answer ${v.what}: ${v.why}.`,
    remedy:
      'See what its own log says, then run the same command with --resume: replies that came in are kept and not asked for again.',
  })),
  'served.changed': entry(
    (v: { address: string; field: string; before: string; after: string }) => ({
      message: `${v.address} is not what it was: its ${v.field} was "${v.before}" and is "${v.after}".`,
      remedy:
        'Serve one model under one name while it is measured, then measure it from the beginning: replies of two models make no rate.',
    }),
  ),
  'served.unreliable': entry((v: { address: string; why: string; remedy: string }) => ({
    message: `${v.address} cannot be measured: ${v.why}.`,
    remedy: v.remedy,
  })),
  'served.partial': entry((v: { benchmark: string; why: string }) => ({
    message: `${v.benchmark} cannot be asked of a model behind this address: ${v.why}.`,
    remedy:
      'Give the server a chat template that takes such conversations, a context long enough for them (num_ctx, --ctx-size, --max-model-len), and let it return usage.prompt_tokens.',
  })),
} as const
