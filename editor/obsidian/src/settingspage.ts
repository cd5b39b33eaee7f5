// The page of settings.
import { PluginSettingTab, Setting, type App } from "obsidian";
import type { Place } from "khojd-common/daemon";
import { placeOf } from "khojd-common/place";

import type { Owner, Settings } from "./settings";

/** Where khojd is. Each line of the command is an argument; a single line is a program alone. */
export function placed(settings: Settings): Place {
  const command = settings.command.split("\n").map((part) => part.trim());
  return placeOf({ command, config: settings.config, index: settings.index, socket: settings.socket });
}

type Of<T> = { [K in keyof Settings]: Settings[K] extends T ? K : never }[keyof Settings];

/** The page of settings. */
export class SettingsPage extends PluginSettingTab {
  private moved = false;

  constructor(
    app: App,
    private readonly owner: Owner,
  ) {
    super(app, owner);
  }

  override display(): void {
    this.containerEl.empty();
    this.moved = false;
    this.flag("atStart", "Connect at start", "Connect to khojd as soon as the vault is open. Otherwise it is started when something is first asked.");
    this.flag("unsaved", "Search unsaved text", "Tell khojd what you type before it is saved, for notes in its folders.");
    this.heading("Search");
    this.number("delay", "Delay", "Milliseconds without a key before the search begins; the first key after a rest does not wait.", 0, 2000);
    this.number("limit", "Results", "How many results are asked for.", 1, 200);
    this.flag("preview", "Preview", "Show the section of the selected result.");
    this.flag("follow", "Follow the cursor", "Have the list of similar notes follow the cursor when it is opened.");
    this.heading("Chat");
    this.text("persona", "Persona", "Who answers in new conversations. Empty for the configured one.");
    this.text("model", "Model", "The model that answers, as provider/model. Empty for the persona's own.");
    this.heading("Connection");
    this.command();
    this.text("config", "Configuration file", "Empty for khojd's own place.", true);
    this.text("index", "Index directory", "Empty for khojd's own place.", true);
    this.text("socket", "Socket", "A socket that is tried first. Empty to have it found.", true);
    if (this.owner.settings.declined) this.vault();
  }

  /** Closing the page puts a changed place in force, not each letter of it. */
  override hide(): void {
    if (this.moved) void this.owner.keep(true);
    this.moved = false;
    super.hide();
  }

  private heading(name: string): void {
    new Setting(this.containerEl).setName(name).setHeading();
  }

  private flag(key: Of<boolean>, name: string, about: string): void {
    new Setting(this.containerEl).setName(name).setDesc(about).addToggle((toggle) =>
      toggle.setValue(this.owner.settings[key]).onChange((value) => { this.set(key, value); }));
  }

  private text(key: Of<string>, name: string, about: string, moves = false): void {
    new Setting(this.containerEl).setName(name).setDesc(about).addText((text) =>
      text.setValue(this.owner.settings[key]).onChange((value) => {
        this.moved ||= moves;
        this.set(key, value.trim());
      }));
  }

  private command(): void {
    const about = "The program that is khojd, with a line for each further argument. It is never installed by this plugin.";
    new Setting(this.containerEl).setName("Command").setDesc(about).addTextArea((text) =>
      text.setValue(this.owner.settings.command).onChange((value) => {
        this.moved = true;
        this.set("command", value);
      }));
  }

  private number(key: Of<number>, name: string, about: string, least: number, most: number): void {
    new Setting(this.containerEl).setName(name).setDesc(`${about} From ${least} to ${most}.`).addText((text) =>
      text.setValue(String(this.owner.settings[key])).onChange((value) => {
        const number = Number(value);
        const fits = value.trim() !== "" && Number.isInteger(number) && number >= least && number <= most;
        text.inputEl.toggleClass("khoj-wrong", !fits);
        if (fits) this.set(key, number);
      }));
  }

  private vault(): void {
    const setting = new Setting(this.containerEl)
      .setName("This vault")
      .setDesc("You have said that this vault is not to be indexed.")
      .addButton((button) =>
        button.setButtonText("Ask again").onClick(() => {
          setting.settingEl.remove();
          this.owner.settings.declined = false;
          void this.owner.keep(true);
        }));
  }

  private set<K extends keyof Settings>(key: K, value: Settings[K]): void {
    this.owner.settings[key] = value;
    void this.owner.keep(false);
  }
}
