/** @file One line of the table of errors: what happened with its values, and what to do. */

export type Details = { message: string; remedy: string }
export const entry = <A>(text: (values: A) => Details) => text
