import { describe, expect, it } from 'vitest'
import { describeProcessor } from '../../../evals/bundled/processor.ts'

const told = (flags: string) =>
  [
    'processor\t: 0',
    'cpu family\t: 25',
    'model\t\t: 1',
    'model name\t: AMD EPYC',
    `flags\t\t: fpu ${flags} sse2`,
  ].join('\n')

describe('the processor that a file was made on', () => {
  it('two of one name are told apart by what they compute with', () => {
    const zen3 = describeProcessor('x64', 'AMD EPYC', told('avx avx2'))
    const zen4 = describeProcessor('x64', 'AMD EPYC', told('avx avx2 avx512f avx512_vnni'))
    expect(zen3).toBe('x64, AMD EPYC, family 25, model 1, up to avx2')
    expect(zen4).toBe('x64, AMD EPYC, family 25, model 1, up to avx512f')
  })

  it('a flag counts whole, not as the beginning of another', () => {
    expect(describeProcessor('x64', 'any', told('avx avx2x'))).toMatch(/up to avx$/)
  })

  it('a system that says nothing leaves its name', () => {
    expect(describeProcessor('arm64', 'Apple M4', '')).toBe('arm64, Apple M4')
  })
})
