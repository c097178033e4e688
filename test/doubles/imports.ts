/** @file The imports of source files, as the TypeScript compiler reads them. */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import ts from 'typescript'

export const ROOT = join(import.meta.dirname, '..', '..')

export interface Import {
  /** Path from the root, with forward slashes. */
  readonly from: string
  /** A path from the root, `node:NAME`, or a package's name. */
  readonly to: string
  /** Gone once types are stripped. */
  readonly isType: boolean
  /** `import(…)`: loaded later, so it closes no cycle. */
  readonly isDynamic: boolean
}

export const filesUnder = (...patterns: readonly string[]): string[] =>
  patterns
    .flatMap((pattern) => globSync(pattern, { cwd: ROOT }))
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => !path.includes('node_modules/'))
    .sort()

export const textOf = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

export function importsOf(path: string, text = textOf(path)): Import[] {
  const code = path.endsWith('.vue') ? scriptOf(text) : text
  const source = ts.createSourceFile(`${path}.ts`, code, ts.ScriptTarget.Latest)
  const found: Import[] = []
  const add = (specifier: ts.Node | undefined, isType: boolean, isDynamic = false) => {
    if (specifier === undefined || !ts.isStringLiteral(specifier)) return
    found.push({ from: path, to: resolved(path, specifier.text), isType, isDynamic })
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, isTypeImport(node))
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly)
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
      add(node.argument.literal, true)
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node.arguments[0], false, true)
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

/** The script of a single-file component. */
export const scriptOf = (text: string): string =>
  /<script setup[^>]*>(?<script>[^]*?)<\/script>/u.exec(text)?.groups!['script'] ?? ''

function isTypeImport({ importClause: clause }: ts.ImportDeclaration): boolean {
  if (clause === undefined) return false
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true
  const { name, namedBindings: bindings } = clause
  if (name !== undefined || bindings === undefined || !ts.isNamedImports(bindings)) return false
  return bindings.elements.every(({ isTypeOnly }) => isTypeOnly)
}

function resolved(from: string, specifier: string): string {
  if (specifier.startsWith('.')) {
    const [path] = specifier.split('?') as [string]
    return relative('.', join(dirname(from), path)).replaceAll('\\', '/')
  }
  if (specifier.startsWith('node:')) return specifier
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

/** One cycle of files that need one another to load, in order; undefined where there is none. */
export function findCycle(imports: readonly Import[]): readonly string[] | undefined {
  const edges = Map.groupBy(
    imports.filter(({ isType, isDynamic }) => !isType && !isDynamic),
    ({ from }) => from,
  )
  const done = new Set<string>()
  const walk = (file: string, path: readonly string[]): readonly string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file]
    if (done.has(file)) return undefined
    for (const { to } of edges.get(file) ?? []) {
      const cycle = walk(to, [...path, file])
      if (cycle) return cycle
    }
    done.add(file)
    return undefined
  }
  for (const file of edges.keys()) {
    const cycle = walk(file, [])
    if (cycle) return cycle
  }
  return undefined
}

/** Files of which each leads to every other, by imports of any kind: the circles of the house, each sorted. */
export function circlesOf(imports: readonly Import[]): string[][] {
  const next = Map.groupBy(imports, ({ from }) => from)
  const order = new Map<string, number>()
  const lowest = new Map<string, number>()
  const open: string[] = []
  const circles: string[][] = []
  // Tarjan (1972): a file whose lowest reachable number is its own closes a circle.
  const visit = (file: string): void => {
    order.set(file, order.size)
    lowest.set(file, order.get(file)!)
    open.push(file)
    for (const { to } of next.get(file) ?? []) {
      if (!order.has(to)) visit(to)
      if (open.includes(to)) lowest.set(file, Math.min(lowest.get(file)!, lowest.get(to)!))
    }
    if (lowest.get(file) !== order.get(file)) return
    const circle = open.splice(open.indexOf(file))
    if (circle.length > 1) circles.push(circle.sort())
  }
  for (const file of next.keys()) if (!order.has(file)) visit(file)
  return circles
}
