/** @file Text from models, files and errors made safe to print on a terminal. */

const ESCAPE_SEQUENCES =
  /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-_])/g
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]+/g

/** One line without escape sequences, control characters or text that changes reading direction. */
export function plainText(text: string, limit = 500): string {
  // Cut first: a hostile message may be megabytes long.
  const cut = text.length > limit * 4 ? text.slice(0, limit * 4) : text
  const plain = cut.replace(ESCAPE_SEQUENCES, '').replace(CONTROLS, ' ').trim()
  return plain.length > limit ? `${plain.slice(0, limit - 1)}…` : plain
}

/** 5 s, 4 min 10 s, 2 h 5 min. */
export function duration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}
