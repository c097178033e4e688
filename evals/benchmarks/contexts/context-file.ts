/** @file Contexts as a user writes them, YAML or JSON, and what the entries of `--contexts` stand for. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { BENCHMARK_ROLES } from '../../contract/rows.ts'
import { nearNames, unknownName } from '../../errors/names.ts'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { readText } from '../../files/read-file.ts'
import { parseYaml, YamlProblem } from '../../tables/yaml.ts'
import { KINDS, SETS } from './registry.ts'

/** Names stand in names of benchmarks. */
const Name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/u, {
  message: 'a name has at most 40 lower-case letters, digits and hyphens',
})

const OwnFields = z.strictObject({
  name: Name,
  /** As reports show it; the name where absent. */
  title: z.string().trim().min(1).max(80).optional(),
  /** Roles of the benchmarks that are put in it; all where absent. */
  roles: z.array(z.enum(BENCHMARK_ROLES)).min(1).optional(),
})

const Context = OwnFields.extend(
  Object.fromEntries(KINDS.map(({ name, setting }) => [name, setting.optional()])),
).refine((context) => kindsOf(context).length > 0, {
  message: `give one of ${KINDS.map(({ name }) => name).join(', ')}`,
})
export type Context = z.infer<typeof OwnFields> & Readonly<Record<string, unknown>>

const ContextFile = z.strictObject({ contexts: z.array(Context).min(1).max(200) })

/** The kinds that a context combines, in the order in which they are applied. */
export const kindsOf = (context: Readonly<Record<string, unknown>>) =>
  KINDS.filter(({ name }) => context[name] !== undefined)

const SET_FOLDER = new URL('./sets/', import.meta.url)

/** The contexts of a set or a file, checked. */
async function readContexts(path: string): Promise<Context[]> {
  const unusable = (why: string) => new TouchstoneError('contexts.unusable', { path, why })
  const text = await readText(path)
  let value: unknown
  try {
    value = parseYaml(text)
  } catch (error) {
    if (error instanceof YamlProblem) throw unusable(error.message)
    throw error
  }
  const parsed = ContextFile.safeParse(value)
  if (parsed.success) return parsed.data.contexts as Context[]
  const issue = parsed.error.issues[0]!
  throw unusable(`${issue.path.map(String).join('.') || 'the file'}: ${problemOf(issue)}`)
}

function problemOf(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'unrecognized_keys') return issue.message.replace(/^Invalid input: /, '')
  const known = [...Object.keys(OwnFields.shape), ...KINDS.map(({ name }) => name)]
  const [near] = nearNames(issue.keys[0]!, known)
  return `nothing is called "${issue.keys[0]!}" here${near ? `; did you mean ${near}?` : ''}`
}

const readSet = (name: string) => readContexts(fileURLToPath(new URL(SETS[name]!, SET_FOLDER)))

/** Entries are sets, single contexts of a set, or files; a context that is named twice is taken once. */
export async function contextsOf(entries: readonly string[]): Promise<Context[]> {
  const bundled: Context[] = []
  for (const name of entries.length === 0 ? [] : Object.keys(SETS))
    bundled.push(...(await readSet(name)))
  const found: Context[] = []
  for (const entry of entries) {
    const one = bundled.find(({ name }) => name === entry)
    if (Object.hasOwn(SETS, entry)) found.push(...(await readSet(entry)))
    else if (one) found.push(one)
    else if (/[/\\]|\.(?:ya?ml|json)$/iu.test(entry) || existsSync(entry))
      found.push(...(await readContexts(entry)))
    else
      throw unknownName('context', entry, [
        ...Object.keys(SETS),
        ...bundled.map(({ name }) => name),
      ])
  }
  return withoutTwice(found)
}

function withoutTwice(contexts: readonly Context[]): Context[] {
  const groups = [...Map.groupBy(contexts, ({ name }) => name)]
  for (const [name, same] of groups) {
    if (same.every((one) => JSON.stringify(one) === JSON.stringify(same[0]))) continue
    throw new TouchstoneError('contexts.unusable', {
      path: '--contexts',
      why: `two different contexts are called "${name}"`,
    })
  }
  return groups.map(([, [first]]) => first!)
}
