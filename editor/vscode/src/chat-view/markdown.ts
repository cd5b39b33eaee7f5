// The Markdown of an answer as elements. Text becomes text and nothing else: no markup of an answer is markup here, no address is
// loaded, and a link is only words that the extension is told about when they are pressed.
import MarkdownIt, { type Token } from "markdown-it";
import { segments } from "khojd-common/answer";
import type { Citation } from "khojd-common/protocol";

import { element, sign } from "./dom";

/** A part of an answer that stands for itself: a paragraph, a list, a block of code. The same `key` looks the same. */
export interface Block {
  key: string;
  make(): Node;
}

/** What happens when something in an answer is pressed. */
export interface Presses {
  copy(text: string): void;
  link(href: string): void;
  note(target: string): void;
}

type Cited = (citation: Citation, index: number) => Node;

const parser = new MarkdownIt("default", { html: false, linkify: true, typographer: false });
parser.linkify.set({ fuzzyLink: false, fuzzyEmail: false });
// All addresses are let through: whether something is a link is decided here, and what is none stays readable.
parser.validateLink = () => true;

// What stands for a marker while the text is parsed: signs that are punctuation as brackets are, so that emphasis around them stays
// what it is, and that hardly any text has.
const STAND_INS = [["⸨", "⸩"], ["⦗", "⦘"], ["⸢", "⸣"], ["⟬", "⟭"]] as const;
const LINK = /^(?:https?:\/\/|mailto:)/i;
const SCHEME = /^[a-z][a-z0-9+.-]*:/i;
const WIKI = /\[\[([^[\]\n|]+)(?:\|([^[\]\n]+))?\]\]/g;

/** An answer in blocks. `cited` makes what is shown for a citation's marker. */
export function blocks(text: string, citations: readonly Citation[], cited: Cited, presses: Presses): Block[] {
  const [open = "", close = ""] = STAND_INS.find(([one, other]) => !text.includes(one) && !text.includes(other)) ?? [];
  const pieces = segments(text, open === "" ? [] : citations);
  const source = pieces.map((one) => (one.kind === "text" ? one.text : `${open}${one.index}${close}`)).join("");
  const lines = source.split("\n");
  const markers = new Map(pieces.flatMap((one) => (one.kind === "citation" ? [[one.index, one] as const] : [])));
  const writer = new Writer(open, close, presses, {
    node: (index) => {
      const found = markers.get(index);
      return found === undefined ? undefined : cited(found.citation, index);
    },
    text: (index) => markers.get(index)?.text ?? "",
    key: (index) => {
      const found = markers.get(index)?.citation;
      return `${index} ${found?.state ?? ""} ${String(found?.weak)}`;
    },
  });
  return tops(parser.parse(source, {})).map((tokens) => {
    const [from, to] = tokens[0]?.map ?? [0, 0];
    return { key: `${tokens[0]?.type ?? ""} ${writer.key(lines.slice(from, to).join("\n"))}`, make: () => writer.block(tokens) };
  });
}

/** Tokens by the top-level block that they are of. */
function tops(tokens: readonly Token[]): Token[][] {
  const found: Token[][] = [];
  let depth = 0;
  for (const token of tokens) {
    if (depth === 0) found.push([]);
    found.at(-1)?.push(token);
    depth += token.nesting;
  }
  return found;
}

interface Markers {
  node(index: number): Node | undefined;
  text(index: number): string;
  /** differs where a marker looks different */
  key(index: number): string;
}

const TAGS = [
  "p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "table", "thead", "tbody", "tr", "th", "td", "em", "strong", "s",
] as const;
type Tag = (typeof TAGS)[number];

class Writer {
  private readonly marker: RegExp | undefined;

  constructor(open: string, close: string, private readonly presses: Presses, private readonly markers: Markers) {
    this.marker = open === "" ? undefined : new RegExp(`${open}(\\d+)${close}`, "g");
  }

  block(tokens: readonly Token[]): Node {
    const root = document.createDocumentFragment();
    this.write(tokens, root);
    return root.childNodes.length === 1 && root.firstChild !== null ? root.firstChild : element("div", {}, root);
  }

  private write(tokens: readonly Token[], into: ParentNode): void {
    const within: ParentNode[] = [into];
    const put = (node: Node) => { (within.at(-1) ?? into).append(node); };
    for (const token of tokens) {
      if (token.nesting < 0) {
        within.pop();
      } else if (token.hidden) {
        within.push(within.at(-1) ?? into); // a paragraph of a tight list
      } else if (token.nesting > 0) {
        const made = this.opened(token);
        put(made);
        within.push(made);
      } else {
        this.leaf(token, put);
      }
    }
  }

  private opened(token: Token): HTMLElement {
    if (token.type === "link_open") return this.link(this.plain(String(token.attrGet("href") ?? "")));
    const tag = TAGS.find((one) => one === token.tag);
    if (tag === undefined) return element("span");
    return element(shifted(tag), { start: tag === "ol" ? (token.attrGet("start") ?? undefined) : undefined, class: aligned(token) });
  }

  private leaf(token: Token, put: (node: Node) => void): void {
    switch (token.type) {
      case "inline":
        for (const node of this.inline(token.children ?? [])) put(node);
        break;
      case "text":
        for (const node of this.text(token.content)) put(node);
        break;
      case "code_inline":
        put(element("code", {}, this.plain(token.content)));
        break;
      case "fence":
      case "code_block":
        put(this.code(this.plain(token.content), token.info.trim().split(/\s+/)[0] ?? ""));
        break;
      case "softbreak":
        put(document.createTextNode("\n"));
        break;
      case "hardbreak":
        put(element("br"));
        break;
      case "hr":
        put(element("hr"));
        break;
      case "image":
        put(element("span", { class: "aside" }, `[picture: ${this.plain(token.content || String(token.attrGet("src") ?? ""))}]`));
        break;
      default:
        put(document.createTextNode(this.plain(token.content)));
    }
  }

  /** What is in a line, as one list of nodes. */
  private inline(tokens: readonly Token[]): Node[] {
    const root = document.createDocumentFragment();
    this.write(tokens, root);
    return [...root.childNodes];
  }

  /** Text with its citations and its links to notes. */
  private text(content: string): Node[] {
    const found: Node[] = [];
    let place = 0;
    for (const match of this.marker === undefined ? [] : content.matchAll(this.marker)) {
      const node = this.markers.node(Number(match[1])) ?? document.createTextNode(match[0]);
      // A citation does not stand alone at the beginning of a line.
      found.push(...this.named(content.slice(place, match.index).replace(/ $/, "\u00a0")), node);
      place = match.index + match[0].length;
    }
    return [...found, ...this.named(content.slice(place))];
  }

  private named(content: string): Node[] {
    const found: Node[] = [];
    let place = 0;
    for (const match of content.matchAll(WIKI)) {
      const [whole, target = "", shown = target] = match;
      const link = this.pressed(shown, target, () => { this.presses.note(target); });
      found.push(document.createTextNode(content.slice(place, match.index)), link);
      place = match.index + whole.length;
    }
    if (place < content.length) found.push(document.createTextNode(content.slice(place)));
    return found;
  }

  private link(href: string): HTMLElement {
    if (LINK.test(href)) return this.pressed(undefined, href, () => { this.presses.link(href); });
    // With any other scheme it is no link, only words.
    if (SCHEME.test(href) || href.startsWith("//")) return element("span", { class: "no-link", title: href });
    const target = decoded(href);
    return this.pressed(undefined, target, () => { this.presses.note(target); });
  }

  /** Words that act as a link. They have no address, so that nothing can follow it. */
  private pressed(shown: string | undefined, title: string, press: () => void): HTMLElement {
    return element("a", {
      role: "link",
      tabindex: 0,
      title,
      on: {
        click: press,
        keydown: (event) => {
          if (event.key !== "Enter") return;
          event.preventDefault();
          press();
        },
      },
    }, shown);
  }

  private code(text: string, language: string): HTMLElement {
    return element("div", { class: "code" },
      element("div", { class: "code-head" },
        element("span", {}, language),
        sign("copy", language === "" ? "Copy code" : `Copy ${language} code`, () => { this.presses.copy(text); })),
      element("pre", { tabindex: 0, "aria-label": language === "" ? "code" : `${language} code` }, element("code", {}, text)));
  }

  /** What tells the source of a block from another that looks different. */
  key(source: string): string {
    return this.replaced(source, (index) => this.markers.key(index));
  }

  /** Text in which markers are as they were written. */
  private plain(text: string): string {
    return this.replaced(text, (index) => this.markers.text(index));
  }

  private replaced(text: string, by: (index: number) => string): string {
    return this.marker === undefined ? text : text.replace(this.marker, (_, index: string) => by(Number(index)));
  }
}

/** Headings of an answer stand below that of its question. */
function shifted(tag: Tag): Tag {
  const level = /^h([1-6])$/.exec(tag)?.[1];
  return level === undefined ? tag : (`h${Math.min(6, Number(level) + 2)}` as Tag);
}

function aligned(token: Token): string | undefined {
  const side = /text-align:(left|center|right)/.exec(String(token.attrGet("style") ?? ""))?.[1];
  return side === undefined ? undefined : `to-${side}`;
}

function decoded(href: string): string {
  try {
    return decodeURI(href);
  } catch {
    return href;
  }
}
