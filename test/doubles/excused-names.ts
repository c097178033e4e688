interface Excused { readonly files: number; readonly why: string }
export const EXCUSED: Readonly<Record<string, Readonly<Record<string, Excused>>>> = {}
