// New notes, and that of the day, as khojd's templates have them.
import { Modal, Setting } from "obsidian";

import type { Khoj } from "./khoj";

/** Show the note of today; khojd makes it where there is none. */
export async function today(khoj: Khoj): Promise<void> {
  await khoj.connection.request("khoj/notes/today", { folder: khoj.folders().day });
}

/** Ask for a title, and for a template where there are several, and have khojd make the note. */
export async function newNote(khoj: Khoj): Promise<void> {
  const { config } = await khoj.connection.request("khoj/config/get", {});
  const { template = "note", templates = [] } = (config.notes ?? {}) as { template?: string; templates?: { name: string }[] };
  new NewNote(khoj, [...new Set([template, "note", ...templates.map(({ name }) => name)])]).open();
}

class NewNote extends Modal {
  constructor(
    private readonly khoj: Khoj,
    /** The first is the usual one. */
    private readonly templates: readonly string[],
  ) {
    super(khoj.app);
  }

  override onOpen(): void {
    const { contentEl, templates } = this;
    this.setTitle("New note");
    const title = contentEl.createEl("input", { type: "text", cls: "khoj-wide", attr: { placeholder: "Title", "aria-label": "Title" } });
    const row = contentEl.createDiv({ cls: "khoj-bar khoj-templates" });
    const choice = row.createEl("select", { cls: "dropdown", attr: { "aria-label": "Template" } });
    for (const name of templates) choice.createEl("option", { value: name, text: `Template: ${name}` });
    row.toggle(templates.length > 1);
    const make = () => {
      const request = { title: title.value.trim(), template: choice.value, folder: this.khoj.folders().others };
      if (request.title === "") return;
      this.close();
      this.khoj.attempt(this.khoj.connection.request("khoj/notes/new", request));
    };
    new Setting(contentEl).addButton((button) => button.setButtonText("Make the note").setCta().onClick(make));
    this.scope.register([], "Enter", (event) => {
      if (event.isComposing) return undefined;
      make();
      return false;
    });
    title.focus();
  }

  override onClose(): void {
    this.contentEl.empty();
  }
}
