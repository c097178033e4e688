/** @file Text for markup: what ends or begins something there, or would not be seen, becomes visible text. */

const SPECIAL =
  /[&<>"'`\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
}

/** Safe between tags and inside quoted attributes. Control and direction characters are shown, as ␀ or ⟨U+202E⟩. */
export function escapeText(text: string): string {
  return text.toWellFormed().replace(SPECIAL, (character) => {
    const code = character.charCodeAt(0)
    if (code < 0x20) return String.fromCharCode(0x2400 + code)
    return ENTITIES[character] ?? `⟨U+${code.toString(16).toUpperCase().padStart(4, '0')}⟩`
  })
}
