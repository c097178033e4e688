/** @file onnxruntime-node's own sessions. */
import ort from './onnxruntime.ts'
import { addon } from '../native/load.ts'
import { libraryPath } from './resident-session.ts'

type Session = ort.InferenceSession
type Options = ort.InferenceSession.SessionOptions

/** The addon, where there is one, is first: the log is of whoever comes first, and a device's failures are told there alone. */
export function openPlainSession(model: Uint8Array | string, options: Options): Promise<Session> {
  addon()?.loadRuntime(libraryPath())
  const { InferenceSession } = ort
  return typeof model === 'string'
    ? InferenceSession.create(model, options)
    : InferenceSession.create(model, options)
}
