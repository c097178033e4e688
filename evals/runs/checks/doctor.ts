/** @file What this machine can run, check by check. */
import {
  checkCores,
  checkDatabase,
  checkDisk,
  checkMemory,
  checkNative,
  checkNode,
  checkProviders,
  type Check,
} from './checks.ts'
import { checkEvaluation, checkFiles, checkPackages, checkWindow } from './installed.ts'
import { checkTelemetry } from './telemetry-check.ts'
import { version } from '../version.ts'

export interface Findings {
  readonly version: string
  readonly platform: string
  readonly isUsable: boolean
  readonly checks: readonly Check[]
}

/** Checks every device, or one. */
export async function findings(device?: string): Promise<Findings> {
  return found([
    checkNode(),
    ...(await checkProviders(device)),
    checkNative(),
    checkCores(),
    checkMemory(),
    checkDatabase(),
    await checkDisk(),
    checkTelemetry(),
  ])
}

/** What an installation must do before anything is asked of it. */
export const installFindings = async (): Promise<Findings> =>
  found([
    await checkFiles(),
    checkPackages(),
    checkNode(),
    ...(await checkProviders('cpu')),
    checkNative(),
    checkDatabase(),
    checkWindow(),
    await checkEvaluation(),
  ])

function found(checks: readonly Check[]): Findings {
  const isUsable = checks.every(({ status }) => status !== 'fail')
  return { version: version(), platform: `${process.platform}-${process.arch}`, isUsable, checks }
}
