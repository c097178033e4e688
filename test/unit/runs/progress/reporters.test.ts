/** @file What a person or a program sees of a job. */
import { describe, expect, test } from 'vitest'
import type { JobEvent, JobEventBody } from '../../../../evals/contract/events.ts'
import { createBarReporter } from '../../../../evals/runs/progress/bar.ts'
import { createJsonReporter } from '../../../../evals/runs/progress/json.ts'
import { createLinesReporter, timeLeft } from '../../../../evals/runs/progress/lines.ts'
import { duration, plainText } from '../../../../evals/document/plain-text.ts'
import { EXAMPLES, logOf } from '../../../doubles/rows/job-events.ts'
import { processorMs } from '../../../doubles/processor-time.ts'

const ESCAPE = '\u001b'

/** Events `apartMs` apart. */
const timed = (bodies: readonly JobEventBody[], apartMs: number): JobEvent[] =>
  logOf(bodies).map((event, index) => ({ ...event, at: index * apartMs }))

const progress = (done: number): JobEventBody => ({ type: 'phase-progress', phase: 'train', done })
const start: JobEventBody = { type: 'phase-start', phase: 'train', total: 100, unit: 'step' }

function said(events: readonly JobEvent[], create = createLinesReporter): string {
  let text = ''
  const reporter = create((more: string) => (text += more))
  events.forEach((event) => reporter.event(event))
  return text
}

describe('plainText', () => {
  test.each([
    ['colours', `${ESCAPE}[31mred${ESCAPE}[0m`, 'red'],
    ['a title that would be set', `${ESCAPE}]0;owned\u0007shown`, 'shown'],
    ['cursor movement', `safe${ESCAPE}[2A${ESCAPE}[Kline`, 'safeline'],
    ['8-bit escapes', 'a\u009b31mb', 'a 31mb'],
    ['line breaks and bells', 'one\r\ntwo\u0007', 'one two'],
    ['reversed text', 'abc\u202egnp.exe', 'abc gnp.exe'],
    ['an escape without an end', `a${ESCAPE}]0;never closed`, 'a'],
  ])('removes %s', (_, hostile, plain) => {
    expect(plainText(hostile)).toBe(plain)
  })

  test('cuts a megabyte at once', () => {
    const started = processorMs()
    expect(plainText(`${ESCAPE}[`.repeat(500_000) + 'x', 100).length).toBeLessThanOrEqual(100)
    expect(plainText('y'.repeat(1_000_000), 100)).toBe(`${'y'.repeat(99)}…`)
    expect(processorMs() - started).toBeLessThan(1000)
  })
})

test.each([
  [0, '0 s'],
  [59_400, '59 s'],
  [60_000, '1 min 0 s'],
  [3_600_000 * 2 + 60_000 * 5, '2 h 5 min'],
])('%i ms is said as %s', (ms, text) => {
  expect(duration(ms)).toBe(text)
})

test('the time left is what the mean rate so far gives', () => {
  const phase = { name: 'train', unit: 'step', total: 100, done: 25, startedAt: 1000 }
  expect(timeLeft(phase, 6000)).toBe(15_000)
  expect(timeLeft({ ...phase, done: 0 }, 6000)).toBeUndefined()
  expect(timeLeft({ ...phase, total: undefined }, 6000)).toBeUndefined()
  expect(timeLeft({ ...phase, done: 100 }, 6000)).toBeUndefined()
})

describe('lines', () => {
  test('a phase of any length speaks at most eleven times', () => {
    const steps = Array.from({ length: 100 }, (_, index) => progress(index + 1))
    const text = said(timed([start, ...steps, { type: 'phase-end', phase: 'train' }], 1000))
    expect(text.split('\n')).toHaveLength(12)
    expect(text).toContain('train: 50/100 steps, 50 s left')
    expect(text).toContain('train: done in 1 min 41 s')
  })

  test('a phase of three seconds says only that it began and ended', () => {
    const steps = Array.from({ length: 100 }, (_, index) => progress(index + 1))
    const text = said(timed([start, ...steps, { type: 'phase-end', phase: 'train' }], 28))
    expect(text).toBe('train (100 steps)\ntrain: done in 3 s\n')
  })

  test('a phase of unknown length speaks every ten seconds', () => {
    const unknown: JobEventBody = { type: 'phase-start', phase: 'train', unit: 'matrix' }
    const text = said(timed([unknown, ...[1, 2, 3, 4, 5].map(progress)], 6000))
    expect(text).toBe('train\n  train: 2 matrices\n  train: 4 matrices\n')
  })

  test('a failure says what happened and what to do', () => {
    const error = { code: 'x.y', message: `Bad ${ESCAPE}[31mfile.`, remedy: 'Mend it.' }
    expect(said(logOf([{ type: 'job-end', outcome: 'failed', error }]))).toBe(
      'Bad file.\nMend it.\n',
    )
  })

  test('debug lines are for the log alone', () => {
    expect(said(logOf([{ type: 'log', level: 'debug', message: 'at frame 1' }]))).toBe('')
  })
})

test('--json prints every event as one line and nothing else', () => {
  const events = logOf([...Object.values(EXAMPLES), { ...EXAMPLES.log, message: 'two\nlines' }])
  const lines = said(events, createJsonReporter).trimEnd().split('\n')
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(events)
})

describe('bar', () => {
  function drawn(events: readonly JobEvent[], columns: number) {
    const writes: string[] = []
    const bar = createBarReporter({ write: (text: string) => writes.push(text), columns })
    events.forEach((event) => bar.event(event))
    return { writes, bar }
  }

  test('never exceeds the terminal’s width, so that it can be erased', () => {
    const name = 'a phase with quite a long name'
    const events = timed(
      [
        { ...start, phase: name },
        { type: 'phase-progress', phase: name, done: 40 },
      ],
      5000,
    )
    for (const columns of [10, 40, 200]) {
      for (const text of drawn(events, columns).writes) {
        expect(text.replace('\r\u001b[2K', '').length).toBeLessThan(columns)
      }
    }
  })

  test('redraws at most ten times a second', () => {
    const steps = Array.from({ length: 100 }, (_, index) => progress(index + 1))
    expect(drawn(timed([start, ...steps], 10), 80).writes.length).toBeLessThanOrEqual(12)
  })

  test('keeps log lines above itself and leaves nothing behind', () => {
    const { writes, bar } = drawn(timed([start, EXAMPLES.log], 1000), 80)
    expect(writes.at(-2)).toBe('A line.\n')
    expect(writes.at(-1)).toContain('train: 0/100 steps')
    bar.close!()
    expect(writes.at(-1)).toBe('\r\u001b[2K')
  })
})
