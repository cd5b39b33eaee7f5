// Elements, made of text that stays text.

export type Child = Node | string | undefined;
type Listeners = { [E in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[E]) => void };

export interface Attributes {
  /** `class`, `title`, `aria-…`: undefined is left out, true is written without a value */
  [name: string]: string | number | boolean | undefined | Listeners;
  on?: Listeners;
}

/** An element with attributes, listeners and children. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value !== "object") attribute(made, name, value);
  }
  for (const [name, listener] of Object.entries(attributes.on ?? {})) made.addEventListener(name, listener as EventListener);
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

/** Give an element an attribute, or take it away. */
export function attribute(of: Element, name: string, value: string | number | boolean | undefined): void {
  if (value === undefined || value === false) of.removeAttribute(name);
  else of.setAttribute(name, value === true ? "" : String(value));
}

/** A button with words on it. */
export function button(label: string, press: () => void, attributes: Attributes = {}): HTMLButtonElement {
  return element("button", { type: "button", ...attributes, on: { click: press } }, label);
}

/** A button with a sign on it; `label` is what it does. */
export function sign(icon: Icon, label: string, press: () => void, attributes: Attributes = {}): HTMLButtonElement {
  return element("button", { type: "button", class: "sign", title: label, "aria-label": label, ...attributes, on: { click: press } }, drawn(icon));
}

// Lines of a 16 by 16 grid.
const ICONS = {
  send: "M2.5 3 13.5 8 2.5 13 4.5 8ZM4.5 8H9",
  stop: "M4.5 4.5h7v7h-7Z",
  copy: "M5.5 5.5h8v8h-8ZM10.5 5.5v-3h-8v8h3",
  again: "M13 8a5 5 0 1 1-1.6-3.7M13 2v3h-3",
  edit: "M3 13l.8-3L11 2.8 13.2 5 6 12.2ZM9.5 4.3 11.7 6.5",
  fork: "M4.5 5v6M11.5 5v1a2 2 0 0 1-2 2h-3a2 2 0 0 0-2 2M3 3.5a1.5 1.5 0 1 0 3 0 1.5 1.5 0 1 0-3 0" +
    "M10 3.5a1.5 1.5 0 1 0 3 0 1.5 1.5 0 1 0-3 0M3 12.5a1.5 1.5 0 1 0 3 0 1.5 1.5 0 1 0-3 0",
  close: "M4 4l8 8M12 4l-8 8",
  attach: "M8 3v10M3 8h10",
  export: "M8 2.5v7M5 7l3 3 3-3M3 13h10",
  delete: "M3 4.5h10M6.5 4.5V3h3v1.5M4.5 4.5l.6 8.5h5.8l.6-8.5",
} as const;

export type Icon = keyof typeof ICONS;

function drawn(icon: Icon): SVGSVGElement {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  for (const [name, value] of [["viewBox", "0 0 16 16"], ["aria-hidden", "true"], ["width", "16"], ["height", "16"]] as const) {
    svg.setAttribute(name, value);
  }
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", ICONS[icon]);
  path.setAttribute("fill", icon === "stop" ? "currentColor" : "none");
  path.setAttribute("stroke", "currentColor");
  path.setAttribute("stroke-linejoin", "round");
  svg.append(path);
  return svg;
}
