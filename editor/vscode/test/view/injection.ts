// Text of notes and of models is text, whatever it looks like.
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { Conversation } from "khojd-common/conversation";
import { answering, citation, started, step, text, View } from "./browser";

const EVIL = "http://evil.test";
const RUN = "window.ran=1";
const MARKUP = [
  `<img src=x onerror="${RUN}">`,
  `<img src="${EVIL}/pixel.png">`,
  `<script>${RUN}</script>`,
  `<svg onload="${RUN}"><script>${RUN}</script></svg>`,
  `<iframe srcdoc="<script>parent.ran=1</script>" src="${EVIL}"></iframe>`,
  `<a href="javascript:${RUN}" onclick="${RUN}">press</a>`,
  `<style>@import "${EVIL}/x.css"; body { background: url(${EVIL}/y.png) }</style>`,
  `<link rel=stylesheet href="${EVIL}/x.css"><meta http-equiv=refresh content="0;url=${EVIL}"><base href="${EVIL}">`,
  `<form action="${EVIL}"><button autofocus onfocus="${RUN}">x</button></form>`,
  `<details open ontoggle="${RUN}">x</details>`,
  "</article></main></body>",
];
const LINKS = [
  `[press](javascript:${RUN})`,
  `[press](JaVaScRiPt:${RUN})`,
  `[press](java\tscript:${RUN})`,
  `[press](javascript&colon;${RUN})`,
  `[press](&#106;avascript:${RUN})`,
  `[press](<javascript:${RUN}>)`,
  `[press](data:text/html,<script>${RUN}</script>)`,
  `[press](vbscript:${RUN})`,
  "[press](file:///etc/passwd)",
  "[press](command:workbench.action.quit)",
  "[press](vscode://khojd.khoj/x)",
  `[press](//evil.test/x)`,
  `<javascript:${RUN}>`,
  `[press][one]\n\n[one]: javascript:${RUN} "title"`,
  `![picture](${EVIL}/pixel.png)`,
  `![picture](javascript:${RUN})`,
  `[![picture](${EVIL}/pixel.png)](javascript:${RUN})`,
  `![picture][two]\n\n[two]: ${EVIL}/pixel.png`,
];

let view: View;

beforeEach(async () => { view = await View.open(); });
afterEach(() => { view.close(); });

/** Nothing ran, nothing was asked for, and nothing of a kind that could do so is in the page. */
async function harmless(): Promise<void> {
  const found = await view.page.evaluate(() => ({
    ran: (window as unknown as { ran?: number }).ran,
    elements: [...document.body.querySelectorAll(
      "img, script, iframe, object, embed, link, meta, base, style, form, [href], [src], [srcset], [style*=url]")]
      .filter((one) => one.getAttribute("src") !== "/chat-view.js")
      .map((one) => one.outerHTML),
    handlers: [...document.body.querySelectorAll("*")]
      .flatMap((one) => one.getAttributeNames().filter((name) => name.startsWith("on"))),
    children: [...document.body.children].map((one) => one.localName),
  }));
  expect(found).toEqual({ ran: undefined, elements: [], handlers: [], children: ["script", "div", "section", "section", "div"] });
  expect(view.asked).toEqual([]);
  expect(view.problems).toEqual([]); // the policy had nothing to forbid
  expect(new URL(view.page.url()).host).toBe("chat.test");
}

describe("in an answer", () => {
  it("markup is shown as it was written", async () => {
    await view.stream("Why?", [started, text(MARKUP.join("\n\n"))]);
    await view.end();
    const shown = await view.page.locator(".answer").innerText();
    expect(shown).toContain(`<img src=x onerror="${RUN}">`);
    expect(shown).toContain(`<script>${RUN}</script>`);
    await harmless();
  });

  it("markup does not come of pieces of it either", async () => {
    const all = MARKUP.map((one) => `- ${one}\n\n> ${one}\n\n| a |\n|---|\n| ${one} |\n\n**${one}** \`${one}\`\n`).join("\n");
    await view.stream("Why?", [started, ...(all.match(/[^]{1,11}/g) ?? []).map(text)]);
    await view.end();
    await harmless();
  });

  it("links with other schemes lead nowhere, and pictures load nothing", async () => {
    await view.stream("Why?", [started, text(LINKS.map((link, place) => `${place} ${link}\n\nthen\n`).join("\n"))]);
    await view.end();
    await harmless();
    const { page } = view;
    expect(await page.locator(".answer .no-link").count()).toBeGreaterThan(10);
    expect(await page.locator(".answer").innerText()).toContain("[picture: picture]");
    for (const one of [...(await page.locator(".answer a").all()), ...(await page.locator(".answer .no-link").all())]) await one.click();
    await harmless();
    expect(view.heard.filter((message) => message.type === "link")).toEqual([]);
    // What looks like the name of a note may be looked for, nothing else.
    for (const message of view.heard) if (message.type === "note") expect(message.target).not.toMatch(/^[a-z]+:/i);
  });

  it("links lead out by the extension only, and to notes", async () => {
    const out = "[a](https://example.org/x?y=1) <mailto:ada@example.org> http://example.org/bare";
    await view.stream("Why?", [started, text(`${out} [b](Running%20plan.md#L3) [[Sleep]] [[Sleep|z]] [c](other)`)]);
    await view.end();
    const links = view.page.locator(".answer a");
    const told: unknown[] = [];
    for (let place = 0; place < (await links.count()); place++) {
      await links.nth(place).press("Enter");
      told.push(await view.until((message) => message.type === "link" || message.type === "note"));
    }
    expect(told).toEqual([
      { type: "link", href: "https://example.org/x?y=1" },
      { type: "link", href: "mailto:ada@example.org" },
      { type: "link", href: "http://example.org/bare" },
      { type: "note", target: "Running plan.md#L3" },
      { type: "note", target: "Sleep" },
      { type: "note", target: "Sleep" },
      { type: "note", target: "other" },
    ]);
    await harmless();
  });

  it("signs and entities are what they are", async () => {
    const signs = "&amp; &lt;b&gt; &#39; &notit; &copy; &nonsense; `&amp;` ⸨0⸩ ⦗1⦘ a_b_c 5 < 6";
    await view.stream("Why?", [started, text(`${signs}\n\n&lt;img src=x onerror=window.ran=1&gt;`)]);
    await view.end();
    expect(await view.page.locator(".answer").innerText()).toBe(
      "& <b> ' &notit; © &nonsense; &amp; ⸨0⸩ ⦗1⦘ a_b_c 5 < 6\n\n<img src=x onerror=window.ran=1>");
    await harmless();
  });

  it("citations within markup of Markdown do not break it", async () => {
    const written = "**bold.{1}** _em {2}_ [link {1}](https://example.org) {1}{2}\n\n| a {1} |\n|---|\n| b {2} |\n\n> quoted {1}\n\n1. one {2}\n";
    await view.stream("Why?", [started, ...answering(written)]);
    await view.end();
    const { page } = view;
    expect(await page.locator(".answer .citation").allInnerTexts()).toEqual(["1", "2", "1", "1", "2", "1", "2", "1", "2"]);
    expect(await page.locator(".answer strong").innerText()).toBe("bold.1");
    expect(await page.locator(".answer em").innerText()).toBe("em\u00a02");
    expect(await page.locator(".answer").innerText()).not.toMatch(/[⸨⸩[\]]/);
    await harmless();
  });
});

describe("around an answer", () => {
  const evil = MARKUP.join(" ");

  it("titles, quotes, paths, steps, reasons and questions are text", async () => {
    const cited = { title: evil, headings: [evil], quote: evil, path: `/notes/${evil}.md` };
    const before = [{ ...started, title: evil }, step(evil), step(evil, "notice"), { kind: "thinking", text: evil } as const];
    await view.stream(evil, [...before, ...answering("So {1}.", { 1: cited })]);
    const { location } = citation();
    await view.end({
      title: evil, state: "failed", reason: evil, model: evil,
      references: [{ number: 1, location, path: cited.path, title: evil, headings: [evil], date: evil, origin: "search", text: evil }],
      proposals: [{ id: "p", location, path: cited.path, before: evil, after: evil, textHash: "h", why: evil, edit: null }],
    });
    await harmless();
  });

  it("names of conversations, personas, models, notes and completions are text", async () => {
    const choice = { persona: evil, model: evil, filters: evil };
    await view.show({ ...view.conversation, title: evil, filters: evil }, { about: [evil], choice });
    await view.say({ type: "choices", choices: { personas: [{ name: evil, description: evil }], persona: evil, models: [evil] } });
    await view.say({ type: "offer", label: evil }, { type: "problem", problem: evil });
    await view.page.locator("textarea").pressSequentially("@");
    const asked = await view.told("complete");
    await view.say({ type: "completions", id: asked.id, found: { start: 0, end: 1, items: [{ text: evil, detail: evil }] } });
    await view.page.locator("textarea").press("Enter");
    expect(await view.page.locator("textarea").inputValue()).toContain("<img src=x");
    await view.say({ type: "focus", history: true });
    await view.say({ type: "history", conversations: [{ id: evil, title: evil, turns: 1, updated: 0 }], problem: evil });
    await harmless();
  });
});

describe("the page", () => {
  it("could run, load and send nothing else even if something got into it", async () => {
    await view.show({ ...view.conversation } satisfies Conversation);
    const tried = await view.page.evaluate(async (evilHost) => {
      const said: string[] = [];
      document.addEventListener("securitypolicyviolation", (event) => said.push(event.effectiveDirective));
      const put = (name: string, attributes: Record<string, string>, words = "") => {
        const made = document.createElement(name);
        for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
        made.append(words);
        document.body.append(made);
      };
      put("script", {}, "window.ran=1");
      put("script", { src: `${evilHost}/x.js` });
      put("img", { src: `${evilHost}/x.png`, onerror: "window.ran=1" });
      put("iframe", { src: evilHost });
      put("style", {}, "body { color: red }");
      await fetch(`${evilHost}/x`).catch(() => undefined);
      await new Promise((done) => setTimeout(done, 200));
      return { said: [...new Set(said)].sort(), ran: (window as unknown as { ran?: number }).ran };
    }, EVIL);
    expect(tried.ran).toBeUndefined();
    expect(tried.said).toEqual(["connect-src", "frame-src", "img-src", "script-src-attr", "script-src-elem", "style-src-elem"]);
    expect(view.asked).toEqual([]);
  });
});
