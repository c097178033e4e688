/** @file The path of what was dropped on a field: browsers tell a file's name and contents, and its place only where the file manager does. */

type Dropped = { readonly path: string } | { readonly problem: string }

/** What is read of a drop. */
interface Transfer {
  readonly getData: (type: string) => string
  readonly files: ArrayLike<{ readonly name: string }>
}

export function droppedPath(data: Transfer | null): Dropped {
  const [first = ''] = (data?.getData('text/uri-list') || data?.getData('text/plain') || '')
    .split(/\r?\n/u)
    .filter((line) => line !== '' && !line.startsWith('#'))
  if (first.startsWith('file://')) return { path: decodeURIComponent(new URL(first).pathname) }
  if (first !== '') return { path: first.trim() }
  const name = data?.files[0]?.name
  return {
    problem: name
      ? `The browser does not say where “${name}” lies: choose it under Browse…, or paste its path.`
      : 'Nothing was dropped that has a path.',
  }
}
