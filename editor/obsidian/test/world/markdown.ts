// A renderer that does all that Obsidian's does with what is dangerous: HTML, pictures, links of any scheme.
import MarkdownIt from "markdown-it";

const parser = new MarkdownIt({ html: true, linkify: false });
parser.validateLink = () => true;

/** Render as Obsidian would, with `[[links]]`, embeds, and code blocks that plugins run. */
export function renderMarkdown(text: string, into: HTMLElement): void {
  const made = new DOMParser().parseFromString(parser.render(text), "text/html");
  for (const code of made.querySelectorAll("pre > code")) {
    const language = /language-(\S+)/.exec(code.className)?.[1] ?? "";
    if (language === "dataviewjs") code.replaceWith(made.createElement("script"));
  }
  for (const link of made.querySelectorAll("a")) link.className = "external-link";
  const walker = made.createTreeWalker(made.body, NodeFilter.SHOW_TEXT);
  const found: Text[] = [];
  while (walker.nextNode() !== null) if (walker.currentNode.parentElement?.closest("code") === null) found.push(walker.currentNode as Text);
  for (const node of found) link(node);
  into.append(...made.body.childNodes);
}

function link(node: Text): void {
  const pieces: (Node | string)[] = [];
  let place = 0;
  for (const match of node.data.matchAll(/(!?)\[\[([^\]|]+)(?:\|([^\]]+))?\]\]/g)) {
    const [whole, embed, target = "", shown = target] = match;
    const element = node.ownerDocument.createElement(embed === "" ? "a" : "iframe");
    if (embed === "") {
      element.className = "internal-link";
      element.setAttribute("data-href", target);
      element.setAttribute("href", target);
      element.textContent = shown;
    }
    pieces.push(node.data.slice(place, match.index), element);
    place = match.index + whole.length;
  }
  if (place > 0) node.replaceWith(...pieces, node.data.slice(place));
}
