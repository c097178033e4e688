/** @file The pages of `docs/reference`, made from the registries. `npm run docs` writes them; a test holds them to the registries. */
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { BENCHMARKS } from '../../evals/benchmarks/registry.ts'
import { VERBS } from '../../evals/bin/verbs.ts'
import { ERRORS, TouchstoneError, type ErrorCode } from '../../evals/errors/touchstone-error.ts'
import { METHODS } from '../../evals/finetune/registry.ts'
import { JUDGES } from '../../evals/judges/registry.ts'
import { ROOT } from '../doubles/imports.ts'

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`
const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')

/** Values are printed as their names: `‹path›`; what is computed from them as `…`. */
const NAMED = new Proxy<Record<string, unknown>>({}, { get: (_, field) => [`‹${String(field)}›`] })

function errorLine(code: ErrorCode): string {
  const { message, remedy } = new TouchstoneError(code, NAMED as never)
  return `- **\`${code}\`**: ${`${message} ${remedy}`.replaceAll('NaN', '…').replaceAll('\n', ' ')}`
}

const TABLES = {
  methods: {
    title: 'Fine-tuning methods',
    about:
      'For `--methods`. Their mathematics, defaults and uncertainties: [docs/methods](../methods/README.md).',
    table: () =>
      table(
        ['Name', 'Title', 'Source', 'Implementation', 'Merges into the base'],
        METHODS.map(({ name, title, paper, faithfulness, mergeable }) => {
          return [`\`${name}\``, title, paper, faithfulness, mergeable ? 'yes' : 'no']
        }),
      ),
  },
  judges: {
    title: 'Judges',
    about:
      'Judges that need no model. Classifiers, guards and rubrics are named with `--judge`: [benchmarks and judges](../benchmarks-and-judges.md).',
    table: () =>
      table(
        ['Name', 'Title', 'Source'],
        JUDGES.map(({ name, title, citation }) => [`\`${name}\``, title, citation]),
      ),
  },
  benchmarks: {
    title: 'Benchmarks',
    about:
      'Bundled ones need no file; the others are read from a file of yours with `--suite FAMILY=PATH`.',
    table: () =>
      table(
        ['Name', 'Title', 'Role', 'Judges', 'File', 'Source'],
        BENCHMARKS.map(({ name, title, role, judges, file, citation }) => {
          const source = file ? `\`${file.family}=PATH\`` : 'bundled'
          return [`\`${name}\``, title, role, judges.join(', '), source, citation]
        }),
      ),
  },
  verbs: {
    title: 'Verbs of the command line',
    about: '`touchstone VERB --help` lists the options. Exit codes: [using](../using.md).',
    table: () =>
      table(
        ['Verb', 'What it does'],
        VERBS.map(({ name, summary }) => [`\`${name}\``, summary]),
      ),
  },
  errors: {
    title: 'Errors',
    about:
      'Every error that a user can meet. With `--json` its code is in the field `code`. `‹…›` stands for a value. Each line: the message, then the remedy.',
    table: () => (Object.keys(ERRORS) as ErrorCode[]).map(errorLine).join('\n'),
  },
} as const

/** Path → text. */
export async function referencePages(): Promise<ReadonlyMap<string, string>> {
  const pages = Object.entries(TABLES).map(async ([name, page]) => {
    const path = `docs/reference/${name}.md`
    const text = `# ${page.title}\n\nMade by \`npm run docs\` from the registry. ${page.about}\n\n${page.table()}\n`
    const options = await resolveConfig(join(ROOT, path))
    return [path, await format(text, { ...options, filepath: path })] as const
  })
  return new Map(await Promise.all(pages))
}
