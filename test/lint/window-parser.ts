/**
 * @file The parser of the window's scripts for the linter: one program holds all of them, components too. By itself the linter's
 * project service makes a new program and type checker for each component, because its script is not the text of its file.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import tseslint from 'typescript-eslint'
import vueParser from 'vue-eslint-parser'

interface Options {
  readonly filePath?: string
  readonly projectService?: unknown
  readonly programs?: readonly ts.Program[]
}

/** The package declares its parser by its name and version alone. */
const scripts = tseslint.parser as {
  parseForESLint(code: string, options: Options): { ast: unknown }
}

const FOLDER = join(import.meta.dirname, '../../renderer')
const EXTENSIONS = [{ extension: '.vue', isMixedContent: true, scriptKind: ts.ScriptKind.Deferred }]
const isComponent = (path: string): boolean => path.endsWith('.vue')

/** What the Vue parser will hand over as the script of a component; '' where it has none. */
function scriptOf(filePath: string): string {
  let script = ''
  const parseForESLint = (code: string, options: Options) => {
    // Without projects it looks for imports or type parameters only.
    if (options.projectService) script = code
    return scripts.parseForESLint(code, { ...options, projectService: undefined })
  }
  const options = {
    filePath,
    sourceType: 'module',
    projectService: true,
    parser: { parseForESLint },
  }
  vueParser.parseForESLint(readFileSync(filePath, 'utf8'), options)
  return script
}

function openProgram(): ts.Program {
  const config = join(FOLDER, 'tsconfig.json')
  // As typescript-eslint's own programs have them.
  const added = { noEmit: true, noUnusedLocals: true, noUnusedParameters: true }
  const json: unknown = ts.readConfigFile(config, (path) => ts.sys.readFile(path)).config
  const { fileNames, options } = ts.parseJsonConfigFileContent(
    json,
    ts.sys,
    FOLDER,
    { ...added, allowNonTsExtensions: true },
    config,
    undefined,
    EXTENSIONS,
  )
  const plain = ts.createCompilerHost(options, true)
  const getSourceFile: ts.CompilerHost['getSourceFile'] = (path, version, ...rest) =>
    isComponent(path)
      ? ts.createSourceFile(path, scriptOf(path), version, true, ts.ScriptKind.TS)
      : plain.getSourceFile(path, version, ...rest)
  return ts.createProgram(fileNames, options, { ...plain, getSourceFile })
}

let program: ts.Program | undefined

/** A text that is not the one of the program (an editor's, a fixed one) goes the slow way. */
function withProgram(code: string, options: Options): Options {
  if (!options.projectService || !options.filePath) return options
  program ??= openProgram()
  if (program.getSourceFile(options.filePath)?.text !== code) return options
  return { ...options, projectService: undefined, programs: [program] }
}

export const windowParser = {
  meta: { name: 'touchstone-window-parser' },
  parseForESLint: (code: string, options: Options) =>
    scripts.parseForESLint(code, withProgram(code, options)),
}
