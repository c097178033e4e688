/**
 * @file Initialisers of a graph, from memory or mapped from weight files. ONNX Runtime resolves file names relative to one
 * folder and follows no link out of it, so the folder is the drive's root and links are resolved first. It does not take files
 * and memory together: beside files, weights in memory become part of the model's bytes.
 */
import { realpathSync } from 'node:fs'
import { parse, relative } from 'node:path'
import type { GivenWeight } from '../graph/encode.ts'
import type { GivenData } from '../native/addon.ts'

/** Elements in a file, in the layout of the graph's input of the same name. */
export interface FilePlace {
  readonly file: string
  readonly offset: number
  readonly bytes: number
}

type Given = ArrayBufferView | FilePlace
type Frozen = ReadonlyMap<string, Given>

export const isPlace = (given: object | undefined): given is FilePlace =>
  given !== undefined && 'file' in given

/** The root folder of the weight files; empty if there are none. */
export function folderOf(frozen: Frozen): string {
  const place = [...frozen.values()].find(isPlace)
  return place ? parse(realpathSync(place.file)).root : ''
}

/** Each weight as the model refers to it. @param isInPlace whether the session reads a weight where it lies */
export function givenWeights(
  frozen: Frozen,
  isInPlace: (name: string) => boolean,
): Map<string, GivenWeight> {
  const hasFiles = folderOf(frozen) !== ''
  return new Map(
    [...frozen].map(([name, given]) => [
      name,
      isInPlace(name) ? 'elsewhere' : weightOf(name, given, hasFiles),
    ]),
  )
}

function weightOf(name: string, given: Given, hasFiles: boolean): GivenWeight {
  if (!isPlace(given))
    return hasFiles ? bytesOf(given) : { buffer: name, offset: 0, bytes: given.byteLength }
  const file = realpathSync(given.file)
  const buffer = relative(parse(file).root, file).replaceAll('\\', '/')
  return { buffer, offset: given.offset, bytes: given.bytes }
}

/** @param inPlace of a weight that is read where it lies */
export const inMemory = (
  frozen: Frozen,
  inPlace: (name: string) => GivenData['inPlace'] = () => null,
): GivenData[] =>
  [...frozen].flatMap(([name, given]) =>
    isPlace(given) ? [] : [{ name, data: bytesOf(given), inPlace: inPlace(name) }],
  )

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)
