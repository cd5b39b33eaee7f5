// Markdown that others have written, shown by Obsidian's renderer without what would load, run or lead astray.
import { MarkdownRenderer, type App, type Component } from "obsidian";

/** Stands where text must not be read as markup; taken out of what was rendered. WORD JOINER, which no line is broken at. */
const BREAK = "\u2060";
/** Languages that renderers only colour. Others may belong to a plugin that runs what they hold. */
const COLOURED = new Set(
  ("bash c clojure cpp csharp css diff elisp go haskell html ini java javascript js json json5 julia kotlin latex lisp lua makefile " +
    "markdown matlab nix ocaml org perl php powershell python py r ruby rust scala scheme sh shell sql swift text toml ts typescript xml " +
    "yaml zig").split(" "),
);
const ALLOWED = /^(?:https?|mailto):/i;
const LOADING = "img, iframe, video, audio, object, embed, svg, canvas, source, link, style, script";

/**
 * Render into an element that is empty.
 *
 * Images, embedded notes and HTML stay text; code of other plugins' languages stays code; links lead into the vault, to the web
 * or to mail.
 */
export async function render(app: App, markdown: string, into: HTMLElement, from: string, owner: Component): Promise<void> {
  try {
    await MarkdownRenderer.render(app, harmless(markdown), into, from, owner);
  } catch {
    into.setText(markdown); // a plugin that takes part in rendering has failed; the text is there to be read all the same
    return;
  }
  for (const element of into.querySelectorAll(LOADING)) {
    if (element.closest(".math, .copy-code-button, .callout-icon, .callout-fold, .collapse-indicator") === null) element.remove();
  }
  for (const link of into.querySelectorAll("a")) {
    if (!link.hasClass("internal-link") && !ALLOWED.test(link.getAttribute("href") ?? "")) link.replaceWith(link.textContent);
  }
  for (const text of texts(into)) {
    if (text.data.includes(BREAK)) text.data = text.data.replaceAll(BREAK, "");
  }
}

/** All texts below an element, in order. */
export function texts(root: HTMLElement): Text[] {
  const walker = root.ownerDocument.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const found: Text[] = [];
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) found.push(node as Text);
  return found;
}

/**
 * Markdown in which nothing embeds, is HTML, or is code that a plugin might run.
 *
 * Each line is treated alike, in code and outside of it: what is code here may not be for a renderer that knows more syntax.
 */
export function harmless(markdown: string): string {
  return markdown
    .replaceAll(BREAK, "")
    .replace(/(`{3,}|~{3,})([ \t]*)([^\s`]+)/g, (whole, marks: string, space: string, language: string) =>
      COLOURED.has(language.toLowerCase()) ? whole : `${marks}${space}${BREAK}${language}`)
    .replaceAll("![", `!${BREAK}[`)
    .replace(/<(?!https?:|mailto:|\s)/gi, `<${BREAK}`)
    .replace(/(`[ \t]*)([=$])/g, `$1${BREAK}$2`);
}
