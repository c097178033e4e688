/** @file onnxruntime-node's own sessions. */
import ort from './onnxruntime.ts'
import { addon } from '../native/load.ts'
import { libraryPath } from './resident-session.ts'

type Session = ort.InferenceSession
type Options = ort.InferenceSession.SessionOptions

/**
 * Loads the addon's runtime first, because ONNX Runtime's log belongs to its first user, and devices report failures only
 * there.
 */
export function openPlainSession(model: Uint8Array | string, options: Options): Promise<Session> {
  addon()?.loadRuntime(libraryPath())
  const { InferenceSession } = ort
  return typeof model === 'string'
    ? InferenceSession.create(model, options)
    : InferenceSession.create(model, options)
}
