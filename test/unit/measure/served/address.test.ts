/** @file Where served models are: what is an address, and which may be asked. */
import { afterEach, describe, expect, test, vi } from 'vitest'
import { AuditConfig } from '../../../../evals/audit/config.ts'
import {
  hostsElsewhere,
  isServed,
  permittedKey,
  servedName,
} from '../../../../evals/measure/served/address.ts'

afterEach(() => vi.unstubAllEnvs())

test('one address, or several of the same model', () => {
  expect(['http://a/v1', 'HTTPS://a/v1#m', './a', 'pebble'].map(isServed)).toEqual([
    true,
    true,
    false,
    false,
  ])
  const { urls, model } = servedName('http://127.0.0.1:1/v1,http://[::1]:2/v1#org/lora')
  expect(urls.map(({ href }) => href)).toEqual(['http://127.0.0.1:1/v1', 'http://[::1]:2/v1'])
  expect(model).toBe('org/lora')
  expect(servedName('http://a/v1').model).toBeNull()
  expect(() => servedName('http://a/v1,b#m')).toThrow('b cannot be asked')
})

test('a model that is named after each address is no name, and says so', () => {
  expect(() => servedName('http://a/v1#m,http://b/v1#m')).toThrow('another address stands after #')
  expect(servedName('http://a#m,n@2').model).toBe('m,n@2')
})

test.each([
  'http://me:pw@a/v1#m',
  'http://a/v1?key=pw#m',
  'http://b/v1,http://me:pw@a/v1#m',
  'http://b/v1#m,http://me:pw@a/v1#m',
])('credentials in %s are no setting, and not shown', (address) => {
  expect(AuditConfig.safeParse({ model: address }).success).toBe(false)
  expect(AuditConfig.safeParse({ model: 'm', candidates: [address] }).success).toBe(false)
  expect(() => servedName(address)).toThrow(/^(?!.*pw)/u)
})

describe('asked without further word, or with a reason', () => {
  const asking = { sendPrompts: null, keyEnv: null }

  test.each(['http://127.0.0.1:8000/v1#m', 'http://localhost:8000/v1#m', 'http://[::1]/v1#m'])(
    '%s is this machine',
    (name) => {
      expect(permittedKey(name, asking)).toBeUndefined()
      expect(hostsElsewhere([name])).toEqual([])
    },
  )

  test('another machine needs a reason, for each of its addresses', () => {
    const name = 'http://127.0.0.1/v1,http://other.example:8000/v1#m'
    expect(() => permittedKey(name, asking)).toThrow('it is another machine’s')
    expect(permittedKey(name, { ...asking, sendPrompts: 'our own cluster' })).toBeUndefined()
    expect(hostsElsewhere(['pebble', name, name])).toEqual(['other.example:8000'])
  })

  test('a key is named by its variable; it never travels in the open to another machine', () => {
    vi.stubEnv('HOTEL_KEY', 'k-planted')
    const given = { sendPrompts: 'our own cluster', keyEnv: 'HOTEL_KEY' }
    expect(permittedKey('http://127.0.0.1/v1#m', given)).toBe('k-planted')
    expect(permittedKey('https://other.example/v1#m', given)).toBe('k-planted')
    expect(() => permittedKey('http://other.example/v1#m', given)).toThrow('unencrypted')
    expect(() => permittedKey('http://127.0.0.1/v1#m', { ...given, keyEnv: 'NO_KEY' })).toThrow(
      'the environment variable NO_KEY holds no key',
    )
    expect(AuditConfig.safeParse({ model: 'm', keyEnv: 'sk-123 456' }).success).toBe(false)
  })
})
