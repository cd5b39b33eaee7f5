// The mark on what was found, in an editor.
import { StateEffect, StateField, type Extension } from "@codemirror/state";
import { Decoration, EditorView, type DecorationSet } from "@codemirror/view";
import type { Editor } from "obsidian";

interface Span {
  from: number;
  to: number;
}

const place = StateEffect.define<Span | null>();
const look = Decoration.mark({ class: "khoj-found" });

/** Has editors show marks. One goes as soon as the note is changed, or something else is found in it. */
export const marks: Extension = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(shown, transaction) {
    let next = transaction.docChanged ? Decoration.none : shown;
    for (const effect of transaction.effects) {
      if (!effect.is(place)) continue;
      const { value } = effect;
      next = value === null ? Decoration.none : Decoration.set(look.range(value.from, value.to));
    }
    return next;
  },
  provide: (field) => EditorView.decorations.from(field),
});

/** Mark a range of an editor; offsets count UTF-16 units of its text. An empty one takes the mark away. */
export function mark(editor: Editor, from: number, to: number): void {
  view(editor)?.dispatch({ effects: place.of(from < to ? { from, to } : null) });
}

/** The CodeMirror below an editor, which Obsidian's documentation names and its types lack. */
function view(editor: Editor): EditorView | undefined {
  return "cm" in editor && editor.cm instanceof EditorView ? editor.cm : undefined;
}
