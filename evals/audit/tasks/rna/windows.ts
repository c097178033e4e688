/** @file Long transcripts as windows of the length that the network takes. */

export const K = 3
/** Tokens of a window, and from one window's beginning to the next. */
export const WINDOW = { tokens: 510, stride: 255 }

/** Windows of a sequence, in order; the last ends where the sequence does. */
export function windowsOf(sequence: string): string[] {
  const letters = WINDOW.tokens + K - 1
  const starts = [0]
  while (starts.at(-1)! + letters < sequence.length) starts.push(starts.at(-1)! + WINDOW.stride)
  return starts.map((start) => sequence.slice(start, start + letters))
}
