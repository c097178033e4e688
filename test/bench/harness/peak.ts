/** @file The peak memory (VmHWM) and processor time of a piece of work, which is a process of its own. Linux only. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../../..')
/** As the launcher sets them. */
const USUAL = {
  NODE_COMPILE_CACHE: join(ROOT, 'node_modules', '.cache', 'touchstone'),
  MALLOC_ARENA_MAX: '1',
}

export const print = (text: string) => process.stdout.write(`${text}\n`)

interface Peak {
  readonly exit: number
  readonly seconds: number
  /** Of the processor, over all threads. */
  readonly processorSeconds: number
  readonly bytes: number
  /** What it printed. */
  readonly text: string
}

/** Runs a module in a process of its own, with what Node keeps of the sources, as the product's processes have it. */
export async function peakOf(program: string): Promise<Peak> {
  const code = `import { readFileSync } from 'node:fs'
    process.on('exit', () => {
      const { userCPUTime, systemCPUTime } = process.resourceUsage()
      const peak = /VmHWM:\\s+\\d+/.exec(readFileSync('/proc/self/status', 'utf8'))[0]
      console.error(peak + ' after ' + (userCPUTime + systemCPUTime) / 1e6)
    })
    ${program}`
  const began = performance.now()
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    cwd: ROOT,
    env: { ...USUAL, ...process.env },
  })
  let [out, err] = ['', '']
  child.stdout.on('data', (text) => (out += String(text)))
  child.stderr.on('data', (text) => (err += String(text)))
  const [exit] = (await once(child, 'close')) as [number]
  const [, peak, processor] = /VmHWM:\s+(\d+) after (\S+)/.exec(err) ?? []
  const [bytes, processorSeconds] = [1024 * Number(peak ?? NaN), Number(processor ?? NaN)]
  const text = (out + err.replace(/VmHWM.*\n/u, '')).trimEnd()
  const seconds = (performance.now() - began) / 1000
  return { exit, seconds, processorSeconds, bytes, text }
}

/** The same, printed; gives its peak in bytes. */
export async function measure(title: string, program: string): Promise<number> {
  const { exit, seconds, bytes, text } = await peakOf(program)
  print(`${title}: exit ${exit}, ${seconds.toFixed(1)} s, peak ${(bytes / 2 ** 20).toFixed(0)} MiB`)
  print(text.slice(0, 2000))
  return bytes
}

export const imported = (file: string) => JSON.stringify(join(ROOT, file))

/** The command line in this process. */
export const touchstone = (...argv: readonly string[]) => `
  process.argv = [process.argv[0], 'touchstone', ...${JSON.stringify(argv)}]
  await import(${imported('evals/bin/cli.ts')})`
