/** @file Where this machine's own findings are kept between runs, and the keys to them. */
import { homedir } from 'node:os'
import { join } from 'node:path'

/**
 * The user's folder for what is neither a document nor can be made again, such as keys of caches. It is another one than the cache,
 * so that who may write to the cache alone cannot read it.
 */
export function stateFolder(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  platform: string = process.platform,
  home = homedir(),
): string {
  const own = environment['XDG_STATE_HOME']
  if (own) return join(own, 'touchstone')
  if (platform === 'win32')
    return join(environment['APPDATA'] ?? join(home, 'AppData', 'Roaming'), 'touchstone')
  const state =
    platform === 'darwin'
      ? join(home, 'Library', 'Application Support')
      : join(home, '.local', 'state')
  return join(state, 'touchstone')
}

/** The user's cache folder, as the platform has it. */
export function cacheFolder(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  platform: string = process.platform,
  home = homedir(),
): string {
  const own = environment['XDG_CACHE_HOME']
  if (own) return join(own, 'touchstone')
  if (platform === 'win32')
    return join(environment['LOCALAPPDATA'] ?? join(home, 'AppData', 'Local'), 'touchstone')
  const cache = platform === 'darwin' ? join(home, 'Library', 'Caches') : join(home, '.cache')
  return join(cache, 'touchstone')
}
