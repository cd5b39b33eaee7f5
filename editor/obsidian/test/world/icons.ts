// Icons by the names that the plugin asks for, drawn for these tests.
const PATHS: Readonly<Record<string, string>> = {
  "book-open-check": "M3 5h6a3 3 0 0 1 3 3v12a3 3 0 0 0-3-2H3zM21 5h-6a3 3 0 0 0-3 3v12a3 3 0 0 1 3-2h6z",
  "circle-check": "M3 12a9 9 0 1 0 18 0a9 9 0 1 0-18 0M8 12l3 3l5-6",
  "circle-slash": "M3 12a9 9 0 1 0 18 0a9 9 0 1 0-18 0M6 18L18 6",
  "circle-x": "M3 12a9 9 0 1 0 18 0a9 9 0 1 0-18 0M9 9l6 6M15 9l-6 6",
  "file-down": "M6 3h8l5 5v13H6zM12 10v7M9 14l3 3l3-3",
  "file-text": "M6 3h8l5 5v13H6zM9 12h6M9 16h6",
  "git-fork": "M6 6v4a3 3 0 0 0 3 3h6a3 3 0 0 0 3-3V6M12 13v5",
  "message-circle": "M4 20l2-4a8 8 0 1 1 3 3z",
  "refresh-cw": "M20 8a8 8 0 0 0-15 2M4 16a8 8 0 0 0 15-2M20 3v5h-5M4 21v-5h5",
  "rotate-ccw": "M4 9a8 8 0 1 1-1 6M4 4v5h5",
  "trash-2": "M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13",
  clock: "M3 12a9 9 0 1 0 18 0a9 9 0 1 0-18 0M12 7v5l3 2",
  copy: "M9 9h11v11H9zM15 9V4H4v11h5",
  database: "M4 6c0-4 16-4 16 0v12c0 4-16 4-16 0zM4 6c0 4 16 4 16 0M4 12c0 4 16 4 16 0",
  download: "M12 4v11M7 11l5 5l5-5M4 20h16",
  history: "M4 9a9 9 0 1 1-1 5M4 4v5h5M12 8v5l3 2",
  paperclip: "M20 11l-8 8a5 5 0 0 1-7-7l8-8a3 3 0 0 1 5 5l-8 8a1 1 0 0 1-2-2l7-7",
  pause: "M8 5v14M16 5v14",
  pencil: "M4 20l1-4L16 5l3 3L8 19z",
  play: "M7 4l13 8l-13 8z",
  plus: "M12 5v14M5 12h14",
  waypoints: "M5 12h14M12 5v14M5 5l14 14",
  x: "M6 6l12 12M18 6L6 18",
};

/** A drawing of 24 units, stroked in the colour of the text; what is not known is a circle. */
export function icon(name: string): SVGElement {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const attributes = { width: "16", height: "16", viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", "stroke-width": "2" };
  for (const [key, value] of Object.entries(attributes)) svg.setAttribute(key, value);
  svg.classList.add("svg-icon");
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", PATHS[name] ?? "M3 12a9 9 0 1 0 18 0a9 9 0 1 0-18 0");
  svg.append(path);
  return svg;
}
