/** @file ggml's kinds of tokens. */
export const TOKEN = {
  normal: 1,
  unknown: 2,
  control: 3,
  userDefined: 4,
  unused: 5,
  byte: 6,
} as const
