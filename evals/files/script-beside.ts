/** @file Scripts that run in threads and processes of their own: TypeScript in a clone, JavaScript in the built package. */
import { dirname, extname, join } from 'node:path'

/** Path of the script `name` in the folder of `file`, with the ending that `file` has. */
export const scriptBeside = (file: string, name: string): string =>
  join(dirname(file), `${name}${extname(file)}`)
