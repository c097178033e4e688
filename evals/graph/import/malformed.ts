/** @file The error for malformed model files. */
import { TouchstoneError } from '../../errors/touchstone-error.ts'

export const malformed = (path: string, found: string, expected: string): TouchstoneError =>
  new TouchstoneError('checkpoint.malformed', { path, found, expected })
