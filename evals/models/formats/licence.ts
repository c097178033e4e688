/** @file The licence of a stored model, and the files in which it goes along with what is made of it. */
import { join } from 'node:path'
import { exists, readText } from '../../files/read-file.ts'
import type { GgufMetadata } from './gguf/family.ts'

const CARD = 'README.md'
const TEXTS = ['LICENSE', 'LICENCE', 'NOTICE', 'USE_POLICY'].flatMap((name) =>
  ['', '.md', '.txt'].map((ending) => `${name}${ending}`),
)

/** From the front matter of the model card; null if not stated. */
export async function cardLicence(folder: string): Promise<string | null> {
  const text = await readText(join(folder, CARD)).catch(() => '')
  const stated = /^license:[ \t]*(?<name>[^\n]{1,80})$/mu.exec(text.slice(0, 4096))
  return stated?.groups!['name']!.trim() ?? null
}

export function ggufLicence(metadata: GgufMetadata): string | null {
  const stated = metadata.get('general.license')
  return typeof stated === 'string' ? stated.slice(0, 80) : null
}

/** Licence and notice texts of a model folder, by name, and a card with the licence that its own card states. */
export async function licenceFilesOf(folder: string): Promise<[string, string][]> {
  const there: [string, string][] = []
  for (const name of TEXTS) {
    const path = join(folder, name)
    if (await exists(path)) there.push([name, await readText(path)])
  }
  return [...there, ...cardWith(await cardLicence(folder))]
}

/** None where no licence is stated. */
export const cardWith = (licence: string | null): [string, string][] =>
  licence === null
    ? []
    : [[CARD, `---\nlicense: ${licence}\n---\n\nMade of a model under this licence.\n`]]

export const isLicenceFile = (name: string): boolean => name === CARD || TEXTS.includes(name)
