/** @file The prompts of a benchmark as they are put in a context. */
import type { AskedContext } from '../../contract/rows.ts'
import { canonicalJson } from '../../files/canonical-json.ts'
import { sha256 } from '../../files/digest.ts'
import { kindsOf, type Context } from './context-file.ts'
import type { ContextSources, Put } from './kind.ts'

export async function putIn(put: Put, context: Context, sources: ContextSources): Promise<Put> {
  let changed = put
  for (const kind of kindsOf(context))
    changed = await kind.apply(changed, context[kind.name], sources)
  return changed
}

/** What is stored of a context beside a benchmark's row; the digest is over everything that it changes. */
export function askedContext(of: string, context: Context): AskedContext {
  const { name, title = name } = context
  const kinds = kindsOf(context).map((kind) => kind.name)
  const settings = kinds.map((kind) => [kind, context[kind]])
  return { of, name, title, kinds, digest: sha256(canonicalJson(settings)).slice(0, 16) }
}
