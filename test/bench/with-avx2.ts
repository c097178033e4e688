/**
 * @file Runs a command as a processor without AVX-512 would: `node evals/bin/run.js with-avx2 evals/bin/run.js pebble --seed 0 --out out/avx2`.
 *
 * ONNX Runtime takes AVX-512's kernels where the operating system keeps their registers, which it reads from XCR0 with XGETBV. A copy of its library in a temporary folder
 * reads bits 0 to 2 of it alone (x87, SSE, AVX), so it takes AVX2's. Linux on x86-64; the repository's own copy stays as it is.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { AS_AVX2 } from './harness/machine.ts'

const NAME = 'libonnxruntime.so.1'
/** xgetbv; mov eax, eax; shl rdx, 32; or rdx, rax: the whole register. */
const WHOLE = Buffer.from('0f01d089c048c1e2204809c2', 'hex')
/** xgetbv; and eax, 7; mov rdx, rax; nop; nop; nop. */
const UP_TO_AVX = Buffer.from('0f01d083e0074889c2909090', 'hex')

function withoutAvx512(library: Buffer): Buffer {
  const bytes = Buffer.from(library)
  let places = 0
  for (let at = bytes.indexOf(WHOLE); at !== -1; at = bytes.indexOf(WHOLE, at + WHOLE.length)) {
    UP_TO_AVX.copy(bytes, at)
    places++
  }
  if (places === 0) throw new Error(`${NAME} reads XCR0 in another way; look at its assembly again`)
  process.stdout.write(`${NAME}: ${places} readings of XCR0 end at AVX\n`)
  return bytes
}

const command = process.argv.slice(2)
if (command.length === 0) throw new Error('Name a script and what it shall be given.')
if (!/\bavx512f\b/.test(readFileSync('/proc/cpuinfo', 'utf8')))
  process.stdout.write('This processor has no AVX-512, so nothing changes.\n')
const own = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'))
const folder = mkdtempSync(join(tmpdir(), 'touchstone-avx2-'))
try {
  const library = join(own, 'bin', 'napi-v6', 'linux', 'x64', NAME)
  if (!existsSync(library)) throw new Error(`${library} is not there: Linux on x86-64 is needed.`)
  writeFileSync(join(folder, NAME), withoutAvx512(readFileSync(library)))
  const earlier = process.env.LD_LIBRARY_PATH
  const LD_LIBRARY_PATH = earlier === undefined ? folder : `${folder}:${earlier}`
  const { status } = spawnSync(process.execPath, command, {
    stdio: 'inherit',
    // The addon opens the repository's own copy.
    env: { ...process.env, LD_LIBRARY_PATH, TOUCHSTONE_NATIVE: 'off', [AS_AVX2]: '1' },
  })
  process.exitCode = status ?? 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
