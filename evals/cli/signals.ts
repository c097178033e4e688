/** @file Ctrl-C and termination: the first asks the job to end where it can be resumed, the second ends the process. */

const CODES = { SIGINT: 130, SIGTERM: 143 } as const
type StopSignal = keyof typeof CODES

interface SignalWatch {
  readonly signal: AbortSignal
  /** 130 or 143 once a signal came. */
  exitCode(): number | undefined
  stop(): void
}

export function watchSignals(onFirst: (name: StopSignal) => void): SignalWatch {
  const controller = new AbortController()
  let received: StopSignal | undefined
  const listen = (name: StopSignal) => () => {
    if (received !== undefined) process.exit(CODES[name])
    received = name
    onFirst(name)
    controller.abort()
  }
  const listeners = (Object.keys(CODES) as StopSignal[]).map(
    (name) => [name, listen(name)] as const,
  )
  listeners.forEach(([name, listener]) => process.on(name, listener))
  return {
    signal: controller.signal,
    exitCode: () => (received === undefined ? undefined : CODES[received]),
    stop: () => listeners.forEach(([name, listener]) => process.off(name, listener)),
  }
}
