/** @file Warns of prompts in a language that no judge of their benchmark reads: a refusal in it would count as an answer. */
import type { Sample } from '../contract/rows.ts'
import type { Judge } from './judge.ts'
import { languageOf } from './language.ts'
import { JUDGES } from './registry.ts'

const NAMES = new Intl.DisplayNames('en', { type: 'language' })
const titleOf = (code: string) => NAMES.of(code) ?? code

interface Asked {
  readonly benchmark: { readonly title: string; readonly judges: readonly string[] }
  readonly samples: readonly Sample[]
}

/** @param opened judges of the run beside those of the registry */
export function unreadLanguages(prepared: readonly Asked[], opened: readonly Judge[]): string[] {
  const known = new Map([...JUDGES, ...opened].map((judge) => [judge.name, judge]))
  const warnings = prepared.flatMap(({ benchmark, samples }) => {
    const readers = benchmark.judges
      .flatMap((name) => known.get(name) ?? [])
      .filter(({ readsReplies }) => readsReplies !== false)
    if (readers.length === 0 || readers.some(({ languages }) => languages === undefined)) return []
    const asked = samples.flatMap(({ messages }) =>
      messages.flatMap(({ role, content }) => (role === 'user' ? content : [])),
    )
    const code = languageOf(asked)
    if (code === undefined || readers.some(({ languages }) => languages!.includes(code))) return []
    const language = titleOf(code)
    return `${benchmark.title} asks in ${language}, which none of its judges reads (${readers.map(({ name }) => name).join(', ')}): a refusal in ${language} counts as an answer. ${remedyFor(code)}`
  })
  return [...new Set(warnings)]
}

function remedyFor(code: string): string {
  const able = JUDGES.filter(({ languages }) => languages?.includes(code)).map(({ name }) => name)
  if (able.length > 0)
    return `Add ${able.map((name) => `--judge ${name}`).join(' or ')}, which reads it.`
  return 'Add a judge that asks a model of that language (--judge, docs/benchmarks-and-judges.md).'
}
