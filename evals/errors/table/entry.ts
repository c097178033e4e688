/** @file An entry of the table of errors: from its values to its message and its remedy. */

export type Details = { message: string; remedy: string }
export const entry = <A>(text: (values: A) => Details) => text
