/** @file Flags from a schema: every type, every source, and what is said of a wrong one. */
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { fieldsOf } from '../../../../evals/runs/options/fields.ts'
import { parseNamed } from '../../../../evals/runs/options/flags.ts'
import { TouchstoneError } from '../../../../evals/errors/touchstone-error.ts'

const Config = z.object({
  model: z.string().min(1).meta({ help: 'Which model' }),
  steps: z.int().min(1).max(100).default(10),
  rate: z.number().positive().max(10).default(0.5),
  share: z.number().min(-1).default(0),
  mood: z.enum(['calm', 'loud']).default('calm'),
  spectra: z.boolean().default(true),
  verbose: z.boolean().default(false),
  limit: z.int().min(1).nullable().default(null),
  seeds: z.array(z.int().min(0)).min(1).default([0]),
  suite: z.array(z.string()).default(['house']),
  paths: z.array(z.string()).default([]).meta({ flag: 'path', repeat: true }),
  resume: z.string().nullable().default(null).meta({ bare: '' }),
  batchSize: z.int().default(16).meta({ flag: 'eval-batch-size' }),
  training: z.object({ batchSize: z.int().default(8) }).prefault({}),
  accept: z.string().trim().min(8).nullable().default(null),
})

const flagsOf = (argv: readonly string[], environment = {}) =>
  parseNamed(Config, fieldsOf(Config), argv, { environment, most: 0 }).options

const parse = (words: string, environment = {}) =>
  flagsOf(['--model', 'm', ...words.split(' ').filter(Boolean)], environment)

function errorOf(action: () => unknown): TouchstoneError {
  try {
    action()
  } catch (error) {
    if (error instanceof TouchstoneError) return error as TouchstoneError
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('values', () => {
  test('no flag gives the defaults', () => {
    expect(parse('')).toEqual(Config.parse({ model: 'm' }))
  })

  test.each([
    ['--steps 7', { steps: 7 }],
    ['--steps=7', { steps: 7 }],
    ['--rate 2e-4', { rate: 2e-4 }],
    ['--share -0.5', { share: -0.5 }],
    ['--share=-0.5', { share: -0.5 }],
    ['--mood loud', { mood: 'loud' }],
    ['--no-spectra', { spectra: false }],
    ['--spectra=false', { spectra: false }],
    ['--no-spectra --spectra', { spectra: true }],
    ['--verbose', { verbose: true }],
    ['--limit 3', { limit: 3 }],
    ['--limit 3 --no-limit', { limit: null }],
    ['--seeds 0,1,2', { seeds: [0, 1, 2] }],
    ['--seeds 0 --seeds 1,2', { seeds: [0, 1, 2] }],
    ['--suite a,b', { suite: ['a', 'b'] }],
    ['--path a,b --path c', { paths: ['a,b', 'c'] }],
    ['--resume', { resume: '' }],
    ['--resume run-1', { resume: 'run-1' }],
    ['--resume=run-1 --steps 2', { resume: 'run-1', steps: 2 }],
    ['--resume --steps 2', { resume: '', steps: 2 }],
    ['--steps 1 --steps 2', { steps: 2 }],
  ])('%s', (words, wanted) => {
    expect(parse(words)).toMatchObject(wanted)
  })

  test('two settings of one name are told apart by the flag that one of them declares', () => {
    const { batchSize, training } = parse('--batch-size 2 --eval-batch-size 3')
    expect({ batchSize, training }).toEqual({ batchSize: 3, training: { batchSize: 2 } })
  })

  test('a clash that nobody resolved is our bug, not the user’s', () => {
    const clash = z.object({ a: z.int(), inner: z.object({ a: z.int() }) })
    expect(() => fieldsOf(clash)).toThrow(/internal: .*--a/)
  })
})

describe('wrong values', () => {
  test.each([
    ['--steps 0', '--steps cannot be 0.', 'Give a whole number from 1 to 100.'],
    ['--steps 1.5', '--steps cannot be 1.5.', 'Give a whole number from 1 to 100.'],
    ['--steps many', '--steps cannot be "many".', 'Give a whole number from 1 to 100.'],
    ['--steps=', '--steps cannot be "".', 'Give a whole number from 1 to 100.'],
    ['--accept why', '--accept cannot be "why".', 'Give a text of at least 8 characters.'],
    ['--rate 11', '--rate cannot be 11.', 'Give a number above 0 and at most 10.'],
    ['--rate Infinity', '--rate cannot be "Infinity".', 'Give a number above 0 and at most 10.'],
    ['--mood sad', '--mood cannot be "sad".', 'Give one of calm, loud.'],
    ['--seeds 0,-1', '--seeds cannot be -1.', 'Give a whole number, at least 0.'],
    ['--seeds 0,x', '--seeds cannot be "x".', 'Give a whole number, at least 0.'],
    ['--spectra=perhaps', '--spectra cannot be "perhaps".', 'Give true or false.'],
    ['--steps', '--steps needs a value.', 'Write --steps N.'],
    ['--steps --verbose', '--steps needs a value.', 'Write --steps N.'],
    ['--no-spectra=1', '--no-spectra takes no value.', 'Write --no-spectra alone.'],
    [
      'stray',
      '"stray" stands where an option should.',
      'Name values by their option, and quote values that hold spaces.',
    ],
  ])('%s', (words, message, remedy) => {
    expect(errorOf(() => parse(words))).toMatchObject({ code: 'usage.invalid', message, remedy })
  })

  test('a value that is missing is asked for in the words of its help', () => {
    expect(errorOf(() => flagsOf([]))).toMatchObject({
      message: '--model is missing.',
      remedy: 'Add --model: Which model.',
    })
  })

  test('an unknown option is answered with the near ones', () => {
    const error = errorOf(() => parse('--step 3'))
    expect(error.code).toBe('usage.unknown-name')
    expect(error.message).toContain('"--step"')
    expect(error.remedy).toContain('--steps')
  })

  test('a number cannot be negated away', () => {
    expect(errorOf(() => parse('--no-steps')).code).toBe('usage.unknown-name')
  })

  test('a flag named like an inherited property is unknown, not a crash', () => {
    expect(errorOf(() => parse('--constructor x')).code).toBe('usage.unknown-name')
    expect(errorOf(() => parse('--__proto__ x')).code).toBe('usage.unknown-name')
  })
})

describe('environment', () => {
  test('a variable sets what no flag sets', () => {
    const environment = { TOUCHSTONE_STEPS: '5', TOUCHSTONE_EVAL_BATCH_SIZE: '4' }
    expect(parse('', environment)).toMatchObject({ steps: 5, batchSize: 4 })
  })

  test('a flag wins over a variable', () => {
    expect(parse('--steps 6', { TOUCHSTONE_STEPS: '5' }).steps).toBe(6)
  })

  test('an empty variable is as good as none', () => {
    expect(parse('', { TOUCHSTONE_STEPS: '' }).steps).toBe(10)
  })

  test('a wrong variable is named as the variable', () => {
    expect(errorOf(() => parse('', { TOUCHSTONE_STEPS: 'many' })).message).toBe(
      'TOUCHSTONE_STEPS cannot be "many".',
    )
  })
})
