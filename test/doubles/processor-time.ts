/** @file Processor time of this process: a limit on it holds on a busy machine as on a quiet one. */

/** Milliseconds of processor time since the process started, all threads together. */
export function processorMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
