// In place of the package `entities`, whose table of names (24 kB) a browser has. markdown-it hands over one entity at a time,
// as `&amp;` or `&#39;`, so that nothing but a sign can come of it; the document that reads it is never shown.

const reader = new DOMParser();

/** The text that an entity stands for; what is none stays as it is. */
export function decodeHTMLStrict(entity: string): string {
  if (!/^&#?\w+;$/.test(entity)) return entity;
  const text = reader.parseFromString(entity, "text/html").documentElement.textContent;
  // Browsers also take the beginning of a word for an entity, as in `&notit;`.
  return text.length > 1 && text.endsWith(";") ? entity : text;
}
