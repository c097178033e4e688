/** @file The files of a model's folder as OpenSSF model-signing states them (OMS, predicate v1.0, serialization "files"). */
import { readdir } from 'node:fs/promises'
import { basename, join, relative, resolve, sep } from 'node:path'
import { sha256, sha256OfFile } from '../../files/digest.ts'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { STATEMENT } from '../signing.ts'
import type { Statement } from './evaluation.ts'

/** Left out at the top of the folder, as model-signing leaves them out. */
const IGNORED = ['.git', '.gitattributes', '.github', '.gitignore']

/** The root digest is over the files' digests, in the order of their names part by part. */
export async function modelStatement(folder: string): Promise<Statement> {
  const names = await filesOf(folder)
  const resources = []
  for (const name of names) {
    const digest = await sha256OfFile(join(folder, name))
    resources.push({ name, algorithm: 'sha256', digest })
  }
  const root = sha256(...resources.map(({ digest }) => Buffer.from(digest, 'hex')))
  return {
    _type: STATEMENT,
    subject: [{ name: basename(resolve(folder)), digest: { sha256: root } }],
    predicateType: 'https://model_signing/signature/v1.0',
    predicate: {
      serialization: {
        method: 'files',
        hash_type: 'sha256',
        allow_symlinks: false,
        ignore_paths: IGNORED,
      },
      resources,
    },
  }
}

async function filesOf(folder: string): Promise<string[]> {
  const unusable = (why: string) => new TouchstoneError('model.unsigned', { path: folder, why })
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(
    (error: NodeJS.ErrnoException) => {
      throw unusable(error.code ?? error.message)
    },
  )
  const paths = entries
    .map((entry) => ({ entry, parts: partsOf(folder, join(entry.parentPath, entry.name)) }))
    .filter(({ entry, parts }) => !entry.isDirectory() && !IGNORED.includes(parts[0]!))
  const link = paths.find(({ entry }) => !entry.isFile())
  if (link) throw unusable(`${link.parts.join('/')} is a link or no file`)
  if (paths.length === 0) throw unusable('it holds no file')
  return paths
    .map(({ parts }) => parts)
    .sort(byParts)
    .map((parts) => parts.join('/'))
}

const partsOf = (folder: string, path: string) => relative(folder, path).split(sep)

/** By Unicode code points, as Python compares them. */
function byParts(one: readonly string[], two: readonly string[]): number {
  const at = one.findIndex((part, i) => part !== two[i])
  if (at < 0 || two[at] === undefined) return one.length - two.length
  return Buffer.compare(Buffer.from(one[at]!), Buffer.from(two[at]))
}
