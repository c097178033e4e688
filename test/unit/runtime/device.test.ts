/** @file Which device is taken: the CPU, until another one has passed its self-test here. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { PORTABLE } from '../../../evals/graph/op.ts'
import { createGraph } from '../../../evals/graph/ops/index.ts'
import { chooseDevice, dialectOf } from '../../../evals/runtime/device.ts'
import { openGraphFile } from '../../../evals/runtime/graph-file.ts'
import {
  keepParity,
  parityOf,
  thisMachine,
  type Accelerator,
  type ParityRecord,
} from '../../../evals/runtime/parity-record.ts'
import { createRunner } from '../../../evals/runtime/session.ts'

const record = (device: Accelerator, own: Partial<ParityRecord> = {}): ParityRecord => ({
  ...thisMachine(),
  device,
  passed: true,
  isHardware: true,
  worst: 2e-6,
  of: 'lora.losses',
  at: '2026-11-26T08:00:00.000Z',
  ...own,
})

const chosen = (name: 'auto' | Accelerator, ...records: readonly ParityRecord[]) =>
  chooseDevice(name, 2, (device) => records.find((each) => each.device === device)).name

describe('auto', () => {
  test.each([
    ['nothing was tested', 'cpu', []],
    ['WebGPU passed on a card', 'webgpu', [record('webgpu')]],
    ['both passed', 'cuda', [record('webgpu'), record('cuda')]],
    ['WebGPU failed', 'cpu', [record('webgpu', { passed: false })]],
    ['a processor played WebGPU’s card', 'cpu', [record('webgpu', { isHardware: false })]],
  ] as const)('where %s it is %s', (_, device, records) => {
    expect(chosen('auto', ...records)).toBe(device)
  })
})

describe('a device that is asked for', () => {
  test('is taken once it has passed, on a card or played by a processor', () => {
    expect(chosen('webgpu', record('webgpu'))).toBe('webgpu')
    expect(chosen('webgpu', record('webgpu', { isHardware: false }))).toBe('webgpu')
  })

  test('is refused before that, with the command that tests it', () => {
    expect(() => chosen('cuda', record('webgpu'))).toThrow(
      expect.objectContaining({
        code: 'device.unusable',
        remedy: 'Run `touchstone doctor --device cuda --parity` once, or use --device cpu.',
      }) as Error,
    )
  })

  test('is refused where it failed, with what was off', () => {
    const failed = record('webgpu', { passed: false, worst: 6.7e3, of: 'lora.grad.x' })
    expect(() => chosen('webgpu', failed)).toThrow('lora.grad.x is off by 6.7e+3')
  })
})

test('only the CPU’s graphs use its fused kernels', () => {
  expect(dialectOf({ name: 'cpu' }).fused).toBe(true)
  expect(dialectOf({ name: 'webgpu' }).fused).toBe(false)
  expect(dialectOf({ name: 'cuda' }).fused).toBe(false)
})

describe('an outcome', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'touchstone-parity-'))
    vi.stubEnv('XDG_CACHE_HOME', folder)
  })
  afterEach(() => {
    vi.unstubAllEnvs()
    rmSync(folder, { recursive: true })
  })

  test('is found again on the same machine, of the device that was tested', () => {
    expect(parityOf('webgpu')).toBeUndefined()
    keepParity(record('webgpu'))
    expect(parityOf('webgpu')).toEqual(record('webgpu'))
    expect(parityOf('cuda')).toBeUndefined()
    expect(chooseDevice('webgpu', 1)).toEqual({ name: 'webgpu', threads: 1 })
  })

  test.each([
    ['another ONNX Runtime', { onnxruntime: '1.31.0' }],
    ['another card', { cards: ['0x10de:0x2684'] }],
    ['another machine', { host: 'elsewhere' }],
    ['another way of learning there', { isResident: !thisMachine().isResident }],
  ])('says nothing of %s', (_, other) => {
    keepParity(record('webgpu'))
    expect(parityOf('webgpu', { ...thisMachine(), ...other })).toBeUndefined()
  })
})

describe('what only the CPU is known to compute is refused elsewhere before anything is opened', () => {
  test('a base in int8', async () => {
    const g = createGraph(PORTABLE)
    const W = g.stored('W', [2, 4], 'int8')
    const y = g.matMulT(g.input('x', 'float32', ['n', 4]), W)
    const options = { device: { name: 'webgpu', threads: 1 }, purpose: 'train' } as const
    await expect(createRunner(g, { y }, options)).rejects.toMatchObject({
      code: 'device.unusable',
      remedy: 'Use --device cpu, or --base-precision fp32.',
    })
  })

  test('a model’s own graph', async () => {
    const opening = openGraphFile('nowhere.onnx', { name: 'webgpu', threads: 1 })
    await expect(opening).rejects.toMatchObject({ code: 'device.unusable' })
  })
})
