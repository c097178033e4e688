/** @file Licences of all that is installed or built in: held against a list, and told in `THIRD-PARTY.md`. */
import { builtParts, installedParts } from './parts.ts'

/** Licences under which a part may be passed on with Touchstone, for any use, by naming it. */
const ALLOWED: ReadonlySet<string> = new Set([
  ...[
    '0BSD',
    'Apache-2.0',
    'BlueOak-1.0.0',
    'BSD-2-Clause',
    'BSD-3-Clause',
    'CC0-1.0',
    'ISC',
    'MIT',
  ],
])

interface Licensed {
  readonly name: string
  readonly version: string
  readonly license: string
}

/** Parts under a licence that is not on the list: `NAME VERSION: LICENCE`. `(A OR B)` is allowed where A or B is. */
export const forbidden = (parts: readonly Licensed[]): string[] =>
  parts
    .filter(({ license }) => !license.replaceAll(/[()]/gu, '').split(' OR ').some(isAllowed))
    .map(({ name, version, license }) => `${name} ${version}: ${license}`)

const isAllowed = (license: string) => ALLOWED.has(license.trim())

const line = ({ name, version, license }: Licensed) => `- ${name} ${version}: ${license}\n`

export function noticesText(): string {
  const [built, installed] = [builtParts(), installedParts()]
  const others = forbidden([...built, ...installed])
  if (others.length > 0)
    throw new Error(`The licence is not on the list of packaging/notices.ts: ${others.join(', ')}`)
  const texts = built.map(
    (part) => `\n### ${part.name} ${part.version} (${part.license})\n\n${part.text.trim()}\n`,
  )
  return `# Third-party notices

## Installed beside Touchstone, each with its own licence file

${installed.map(line).join('')}
## Built into the window (renderer/dist)
${texts.join('')}`
}
