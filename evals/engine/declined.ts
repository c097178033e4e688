/** @file Prompts that a model should refuse: those of the bundled benchmarks, of the stored runs and of imported files. */
import { loadBundled } from '../benchmarks/bundled/load-bundled.ts'
import { promptHash } from '../benchmarks/import/overlap.ts'
import { BUNDLED, IMPORTABLE } from '../benchmarks/registry.ts'
import type { Message } from '../contract/rows.ts'
import type { Home } from './home.ts'

interface Declined {
  /** Whether a message of the user or the system is, or contains, such a prompt. */
  has(messages: readonly Message[]): Promise<boolean>
}

export function createDeclined(home: Home): Declined {
  let bundled: Promise<string[]> | undefined
  return {
    async has(messages) {
      const own = messages.filter(({ role }) => role !== 'assistant')
      const texts = own.map(({ content }) => plain(content))
      const prompts = await (bundled ??= bundledPrompts())
      if (texts.some((text) => prompts.some((prompt) => text.includes(prompt)))) return true
      return home.folders().some((folder) => isKnownIn(home, folder, own))
    },
  }
}

function isKnownIn(home: Home, folder: string, messages: readonly Message[]): boolean {
  const { pages, evidence } = home.store(folder)
  const hashes = new Set(
    evidence
      .benchmarkFiles()
      .filter(({ name }) => REFUSING.has(name))
      .flatMap((file) => file.promptHashes),
  )
  return messages.some(
    (message) =>
      hashes.has(promptHash({ messages: [message] })) || pages.isWithheld(message.content),
  )
}

const REFUSING: ReadonlySet<string> = new Set(
  IMPORTABLE.filter(({ role }) => role === 'refusal').map(({ name }) => name),
)

const plain = (text: string) => text.normalize('NFKC').toLowerCase().replaceAll(/\s+/g, ' ').trim()

async function bundledPrompts(): Promise<string[]> {
  const benchmarks = BUNDLED.filter(({ role }) => role === 'refusal')
  const samples = await Promise.all(benchmarks.map(loadBundled))
  return samples
    .flat()
    .flatMap(({ expected, messages }) =>
      expected.kind === 'refuse' ? plain(messages.at(-1)!.content) : [],
    )
}
