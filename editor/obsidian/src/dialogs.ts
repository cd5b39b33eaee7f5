// Questions to a person.
import { Modal, Setting, type App } from "obsidian";

/** A question with answers; closing it is the last one's. */
export class Question extends Modal {
  private answer: string | undefined;

  constructor(
    app: App,
    private readonly text: string,
    private readonly answers: readonly string[],
    private readonly then: (answer: string | undefined) => void,
    private readonly heading = "Khoj",
  ) {
    super(app);
  }

  override onOpen(): void {
    this.setTitle(this.heading);
    this.contentEl.createEl("p", { text: this.text });
    const buttons = this.contentEl.createDiv({ cls: "modal-button-container" });
    for (const [index, answer] of this.answers.entries()) {
      const button = buttons.createEl("button", { text: answer });
      if (index === 0) button.addClass("mod-cta");
      button.onclick = () => {
        this.answer = answer;
        this.close();
      };
    }
  }

  override onClose(): void {
    this.contentEl.empty();
    this.then(this.answer);
  }
}

/** The title that a person chooses; undefined when the question is closed. */
export function ask(app: App, text: string, answers: readonly string[], heading?: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    new Question(app, text, answers, resolve, heading).open();
  });
}

/** A line of text that a person writes; undefined when the dialog is closed. */
export function write(app: App, heading: string, value: string, done: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    new Line(app, heading, value, done, resolve).open();
  });
}

class Line extends Modal {
  private written: string | undefined;

  constructor(
    app: App,
    private readonly heading: string,
    private value: string,
    private readonly done: string,
    private readonly then: (value: string | undefined) => void,
  ) {
    super(app);
  }

  override onOpen(): void {
    this.setTitle(this.heading);
    const take = () => {
      this.written = this.value.trim();
      this.close();
    };
    new Setting(this.contentEl).setClass("khoj-line").addText((text) => {
      text.setValue(this.value).onChange((value) => {
        this.value = value;
      });
      text.inputEl.setAttribute("aria-label", this.heading);
      text.inputEl.select();
    });
    new Setting(this.contentEl).addButton((button) => button.setButtonText(this.done).setCta().onClick(take));
    this.scope.register([], "Enter", (event) => {
      if (event.isComposing) return undefined;
      take();
      return false;
    });
  }

  override onClose(): void {
    this.contentEl.empty();
    this.then(this.written);
  }
}
