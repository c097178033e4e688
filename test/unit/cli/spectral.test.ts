import { describe, expect, test } from 'vitest'
import { inOptions } from '../../../evals/cli/commands/spectral.ts'

describe('touchstone spectral A B', () => {
  test.each([
    [
      ['a', 'b'],
      ['--model=a', '--candidate=b'],
    ],
    [
      ['a', 'b', 'c', '--json'],
      ['--model=a', '--candidate=b', '--candidate=c', '--json=true'],
    ],
    [
      ['--out-dir', 'o', 'a', '--no-cache', 'b'],
      ['--model=a', '--candidate=b', '--out-dir=o', '--cache=false'],
    ],
    [
      ['a', '--candidate', 'b', '--candidate=c'],
      ['--model=a', '--candidate=b', '--candidate=c'],
    ],
    [
      ['a', '--no-cache-dir'],
      ['--model=a', '--no-cache-dir'],
    ],
    [
      ['a', '--', '-b'],
      ['--model=a', '--candidate=-b'],
    ],
  ])('%j is %j', (argv, wanted) => expect(inOptions(argv)).toEqual(wanted))

  test('without positionals nothing is touched', () => {
    const argv = ['--model', 'a', '--candidate', 'b', '--null-arm']
    expect(inOptions(argv)).toEqual(argv)
  })

  test('what is said twice is refused', () => {
    expect(() => inOptions(['a', '--model', 'b'])).toThrow('"a" stands beside --model')
    expect(() => inOptions(['a', 'b', '--candidate', 'c'])).toThrow('"b" stands beside --candidate')
  })
})
