/** @file What the Markdown pages name exists: paths in backticks, links between pages and their headings; and their lines fit 100 columns. */
import { existsSync, statSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, test } from 'vitest'
import { filesUnder, ROOT, textOf } from '../../doubles/imports.ts'
import { ROOMS } from '../../doubles/rooms.ts'

const WIDTH = 100
const FOLDERS = ['docs', 'electron', 'evals', 'native', 'packaging', 'renderer', 'test']
const pages = filesUnder('*.md', ...FOLDERS.map((folder) => `${folder}/**/*.md`)).filter(
  (path) => !/(?:^|\/)(?:node_modules|dist|fixtures|\.cache)\//u.test(path),
)

/** What an installation, a build, a run or a reader's own script writes. */
const MADE =
  /^(?:renderer\/dist|native\/prebuilds|test\/peers\/\.cache|test\/bench\/results\/peers-<)/u

/** The lines of a page with code blocks emptied, so that their numbers stay. */
function proseOf(text: string): string[] {
  let isCode = false
  return text.split('\n').map((line) => {
    const isFence = /^\s*```/u.test(line)
    if (isFence) isCode = !isCode
    return isCode || isFence ? '' : line
  })
}

/** `evals/…`, `test/…`, `docs/…` in backticks; patterns and alternatives in braces are looked up as files. */
function pathsIn(text: string): string[] {
  const found = proseOf(text).flatMap((line) => [
    ...line.matchAll(/`((?:evals|test|renderer|docs|native|electron|packaging)\/[^\s`…]*)`/gu),
  ])
  return found.map(([, path]) => path!).filter((path) => !MADE.test(path))
}

function exists(path: string): boolean {
  const [file = '', heading] = path.split('#')
  if (heading !== undefined && !headingsOf(textOf(file)).has(heading)) return false
  return /[*{]/u.test(file) ? filesUnder(file).length > 0 : existsSync(join(ROOT, file))
}

/** As GitHub and editors name them in a link. */
const headingsOf = (text: string): ReadonlySet<string> =>
  new Set(
    proseOf(text)
      .filter((line) => /^#+ /u.test(line))
      .map((line) =>
        line
          .replace(/^#+ /u, '')
          .toLowerCase()
          .replace(/[^\p{L}\p{N}\s_-]/gu, '')
          .replaceAll(' ', '-'),
      ),
  )

/** Links to files of the repository, as paths from its root. */
function linksIn(page: string): string[] {
  const links = proseOf(textOf(page)).flatMap((line) => [...line.matchAll(/\]\(([^)\s]+)\)/gu)])
  return links
    .map(([, target]) => target!)
    .filter((target) => !/^[a-z]+:/u.test(target))
    .map((target) =>
      target.startsWith('#') ? `${page}${target}` : normalize(join(dirname(page), target)),
    )
}

/** Prose that is too wide; tables, code and the targets of links, which the formatter does not break, are not counted. */
const wideLines = (text: string): number[] =>
  proseOf(text).flatMap((line, i) => {
    const prose = line.replaceAll(/`[^`]*`?|\]\([^)]*\)|\p{M}/gu, '')
    const isTable = /^\s*\|/u.test(line)
    return [...prose].length > WIDTH && !isTable ? [i + 1] : []
  })

describe.each(pages)('%s', (page) => {
  test('every path that it names exists', () => {
    expect(pathsIn(textOf(page)).filter((path) => !exists(path))).toEqual([])
  })

  test('every link leads to a file, and to a heading in it', () => {
    expect(linksIn(page).filter((path) => !exists(path))).toEqual([])
  })

  test(`no line of prose is wider than ${WIDTH} columns`, () => {
    expect(wideLines(textOf(page))).toEqual([])
  })
})

test('what does not hold is seen', () => {
  const planted = 'See `evals/attic/none.ts` and `evals/README.md`.\n```\n`evals/none.ts`\n```'
  expect(pathsIn(planted)).toEqual(['evals/attic/none.ts', 'evals/README.md'])
  expect(exists('evals/attic/none.ts')).toBe(false)
  expect(exists('docs/evidence.md#the-gate')).toBe(true)
  expect(exists('docs/evidence.md#no-such-heading')).toBe(false)
  const long = 'word '.repeat(30)
  const code = ['```', long, '```', `see \`${long}\``]
  expect(wideLines(['short', long, `| ${long} |`, ...code].join('\n'))).toEqual([2])
})

test('every page that a comment or a message names exists', () => {
  const code = filesUnder(
    ...FOLDERS.filter((folder) => folder !== 'docs').map(
      (folder) => `${folder}/**/*.{ts,js,vue,py,cc,h}`,
    ),
  ).filter((path) => !/(?:^|\/)(?:node_modules|dist|\.cache)\//u.test(path))
  const lost = code.flatMap((path) =>
    [...textOf(path).matchAll(/docs\/[\w/-]+\.md/gu)].flatMap(([page]) =>
      existsSync(join(ROOT, page)) ? [] : [`${path}: ${page}`],
    ),
  )
  expect(lost).toEqual([])
})

test('the picture of the house names every room', () => {
  const [, picture = ''] = textOf('docs/architecture.md').split('```')
  expect(Object.keys(ROOMS).filter((room) => !picture.includes(room))).toEqual([])
})

test('the page of performance has at most 250 lines: history lies in results and beside it', () => {
  expect(textOf('docs/performance/README.md').split('\n').length).toBeLessThanOrEqual(251)
})

test('the first page has at most 900 words', () => {
  expect(textOf('README.md').split(/\s+/u).filter(Boolean).length).toBeLessThanOrEqual(900)
  expect(statSync(join(ROOT, 'docs/glossary.md')).isFile()).toBe(true)
})

test('the glossary has at most 40 words, a line each', () => {
  const rows = textOf('docs/glossary.md')
    .split('\n')
    .filter((line) => /^\| [^-]/u.test(line))
  expect(rows.length - 1).toBeLessThanOrEqual(40)
})
