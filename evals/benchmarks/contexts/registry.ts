/** @file The kinds of contexts, in the order in which they are applied, and the bundled sets. */
import type { z } from 'zod'
import type { ContextKind } from './kind.ts'
import { language } from './kinds/language.ts'
import { rewrite } from './kinds/rewrite.ts'
import { sampling } from './kinds/sampling.ts'
import { start } from './kinds/start.ts'
import { system } from './kinds/system.ts'
import { training } from './kinds/training.ts'
import { turns } from './kinds/turns.ts'

/** A kind with its own setting: erases the type that `setting` and `apply` share. */
const kind = <S>({ name, title, setting, apply }: ContextKind<S>): ContextKind => ({
  name,
  title,
  setting,
  apply: (put, value, sources) => apply(put, value as z.infer<typeof setting>, sources),
})

export const KINDS: readonly ContextKind[] = [
  kind(language),
  kind(rewrite),
  kind(training),
  kind(turns),
  kind(system),
  kind(start),
  kind(sampling),
]

/** Sets of contexts by name: files of `sets/`, in the form of a user's file. */
export const SETS: Readonly<Record<string, string>> = {
  deployment: 'deployment.yaml',
  languages: 'languages.yaml',
}
