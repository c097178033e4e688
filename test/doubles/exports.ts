/** @file Exports that no other file imports. */
import { dirname, join } from 'node:path'
import ts from 'typescript'
import { scriptOf } from './imports.ts'

/** A tool reads the default export of its own configuration, a user's program the package's entry. */
const IS_READ_ELSEWHERE = /\.config\.ts$|^evals\/bin\/api\.ts$/u

/** `PATH NAME` of each named export of `files` that none of the others imports. */
export function unusedExports(
  files: readonly string[],
  textOf: (path: string) => string,
): string[] {
  const sources = files.map((path) => {
    const text = textOf(path)
    const code = path.endsWith('.vue') ? scriptOf(text) : text
    return { path, source: ts.createSourceFile(`${path}.ts`, code, ts.ScriptTarget.Latest) }
  })
  const used = new Set(sources.flatMap(({ path, source }) => usesOf(path, source)))
  return sources.flatMap(({ path, source }) =>
    IS_READ_ELSEWHERE.test(path)
      ? []
      : exportsOf(source)
          .filter((name) => !used.has(`${path} ${name}`) && !used.has(`${path} *`))
          .map((name) => `${path} ${name}`),
  )
}

function exportsOf(source: ts.SourceFile): string[] {
  return source.statements.flatMap((statement) => {
    if (!ts.canHaveModifiers(statement)) return []
    const isExported = ts
      .getModifiers(statement)
      ?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
    if (!isExported) return []
    if (ts.isVariableStatement(statement))
      return statement.declarationList.declarations.flatMap(({ name }) =>
        ts.isIdentifier(name) ? name.text : [],
      )
    const { name } = statement as ts.DeclarationStatement
    return name && ts.isIdentifier(name) ? name.text : []
  })
}

/** `PATH NAME` of what a file imports or exports again; `PATH *` where it takes the whole. */
function usesOf(path: string, source: ts.SourceFile): string[] {
  const found: string[] = []
  const add = (specifier: ts.Node | undefined, names: readonly string[]) => {
    if (!specifier || !ts.isStringLiteral(specifier) || !specifier.text.startsWith('.')) return
    const from = join(dirname(path), specifier.text)
    found.push(...names.map((name) => `${from} ${name}`))
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      const bindings = node.importClause?.namedBindings
      add(node.moduleSpecifier, bindings ? namesIn(bindings) : [])
    } else if (ts.isExportDeclaration(node)) {
      add(node.moduleSpecifier, node.exportClause ? namesIn(node.exportClause) : ['*'])
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      add(node.argument.literal, ['*'])
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], ['*'])
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

const namesIn = (bindings: ts.NamedImportBindings | ts.NamedExportBindings): string[] =>
  'elements' in bindings
    ? bindings.elements.map(({ name, propertyName }) => (propertyName ?? name).text)
    : ['*']
