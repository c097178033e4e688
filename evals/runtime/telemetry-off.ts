/** @file Imported before ONNX Runtime, for its effect: telemetry is off, and what it left behind is removed. */
import { removeLeftovers, switchTelemetryOff } from './telemetry.ts'

switchTelemetryOff()
removeLeftovers()
