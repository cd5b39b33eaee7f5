// What Obsidian adds to the page, and what CodeMirror asks of a page that jsdom has not.
export {}; // a module may wait for another

if (typeof window !== "undefined") {
  const { setup } = await import("obsidian-test-mocks/setup");
  setup();
  const none = { x: 0, y: 0, left: 0, right: 0, top: 0, bottom: 0, width: 0, height: 0, toJSON: () => ({}) };
  Range.prototype.getClientRects = () => [] as unknown as DOMRectList;
  Range.prototype.getBoundingClientRect = () => none;
  Element.prototype.scrollIntoView = () => undefined;
  HTMLElement.prototype.isShown = function () { return this.isConnected; }; // jsdom lays nothing out
}
