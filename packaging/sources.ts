/** @file The sources as Node runs them under `node_modules`, where it strips no types: one JavaScript file each, with its source map. */
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'
import { decode, encode } from '@jridgewell/sourcemap-codec'
import ts from 'typescript'
import { manifest, ROOT } from './parts.ts'

/** Makers of what is packed: they need the clone. */
const MAKERS =
  /^evals\/(?:bin\/(?:train-pebble|semantic|run\.js|desktop\.js)|bundled\/make-data|judges\/semantic\/(?:words|replies)\/)/u
const ASSETS: ReadonlySet<string> = new Set([
  ...['.js', '.json', '.jsonl', '.yaml', '.css', '.safetensors', '.int8'],
])
/** Its declarations, and those that they name, are all that a program sees. */
const API = 'evals/bin/api.ts'

/** Copies and compiles `evals/` into `folder`; throws where a source cannot be compiled. */
export function writeSources(folder: string): void {
  const paths = globSync('evals/**/*', { cwd: ROOT })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => !MAKERS.test(path))
  for (const path of paths.filter((each) => ASSETS.has(extname(each)))) {
    cpSync(join(ROOT, path), join(folder, path))
  }
  for (const path of paths.filter((each) => each.endsWith('.ts'))) compile(path, folder)
  const { version } = manifest()
  writeFileSync(join(folder, 'evals', 'package.json'), JSON.stringify({ type: 'module', version }))
  writeDeclarations(folder)
}

function compile(path: string, folder: string): void {
  const { outputText, sourceMapText } = ts.transpileModule(readFileSync(join(ROOT, path), 'utf8'), {
    fileName: basename(path),
    compilerOptions: {
      target: ts.ScriptTarget.ES2024,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
      rewriteRelativeImportExtensions: true,
      // The source in the map has them.
      removeComments: true,
      sourceMap: true,
      inlineSources: true,
    },
  })
  const written = join(folder, path.replace(/ts$/u, 'js'))
  mkdirSync(dirname(written), { recursive: true })
  writeFileSync(written, outputText)
  writeFileSync(`${written}.map`, JSON.stringify(byLines(JSON.parse(sourceMapText!) as LineMap)))
}

type LineMap = Readonly<Record<'mappings', string>>

/** Without columns, which are most of a map: a stack trace names the line. */
function byLines(map: LineMap): LineMap {
  const lines = decode(map.mappings).map((segments) =>
    segments.filter((own, i) => i === 0 || own[2] !== segments[i - 1]![2]),
  )
  return { ...map, mappings: encode(lines) }
}

function writeDeclarations(folder: string): void {
  const program = ts.createProgram([join(ROOT, API)], {
    ...ts.parseJsonConfigFileContent(
      ts.readConfigFile(join(ROOT, 'tsconfig.json'), (path) => ts.sys.readFile(path)).config,
      ts.sys,
      ROOT,
    ).options,
    noEmit: false,
    noCheck: true,
    declaration: true,
    emitDeclarationOnly: true,
    rootDir: join(ROOT, 'evals'),
    outDir: join(folder, 'evals'),
  })
  const { diagnostics } = program.emit(undefined, (path, text) => {
    mkdirSync(dirname(path), { recursive: true })
    // Declarations are not rewritten by the compiler.
    writeFileSync(path, text.replaceAll(/(?<=(?:from |import\()['"]\.[^'"]*)\.ts(?=['"])/gu, '.js'))
  })
  if (diagnostics.length > 0) {
    rmSync(folder, { recursive: true, force: true })
    throw new Error(ts.formatDiagnostics(diagnostics, ts.createCompilerHost({})))
  }
}
