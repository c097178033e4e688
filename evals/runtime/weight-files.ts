/**
 * @file Initialisers of a graph: out of memory, or mapped out of files that are not ONNX Runtime's own. It knows files by names
 * relative to one folder and follows no link out of it: so the folder is the root of the drive, and the names are where links
 * lead. Files and memory do not go together: beside files, what is in memory becomes a part of the model's bytes.
 */
import { realpathSync } from 'node:fs'
import { parse, relative } from 'node:path'
import type { GivenWeight } from '../graph/encode.ts'

/** Numbers that lie in a file just as the graph's input of that name has them. */
export interface FilePlace {
  readonly file: string
  readonly offset: number
  readonly bytes: number
}

type Given = ArrayBufferView | FilePlace
type Frozen = ReadonlyMap<string, Given>

export const isPlace = (given: object | undefined): given is FilePlace =>
  given !== undefined && 'file' in given

/** The root that their files lie under; empty where none of them lies in a file. */
export function folderOf(frozen: Frozen): string {
  const place = [...frozen.values()].find(isPlace)
  return place ? parse(realpathSync(place.file)).root : ''
}

/** How the model names them. */
export function givenWeights(frozen: Frozen): Map<string, GivenWeight> {
  const hasFiles = folderOf(frozen) !== ''
  return new Map([...frozen].map(([name, given]) => [name, weightOf(name, given, hasFiles)]))
}

function weightOf(name: string, given: Given, hasFiles: boolean): GivenWeight {
  if (!isPlace(given))
    return hasFiles ? bytesOf(given) : { buffer: name, offset: 0, bytes: given.byteLength }
  const file = realpathSync(given.file)
  const buffer = relative(parse(file).root, file).replaceAll('\\', '/')
  return { buffer, offset: given.offset, bytes: given.bytes }
}

export const inMemory = (frozen: Frozen): { readonly name: string; readonly data: Uint8Array }[] =>
  [...frozen].flatMap(([name, given]) => (isPlace(given) ? [] : [{ name, data: bytesOf(given) }]))

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)
