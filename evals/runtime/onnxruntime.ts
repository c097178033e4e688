/** @file ONNX Runtime with its telemetry off. No other file imports the package. */
import './telemetry-off.ts'

export { default } from 'onnxruntime-node'
