// The page of settings.
import { PluginSettingTab, Setting, type App, type SettingDefinitionItem } from "obsidian";
import type { Place } from "khojd-common/daemon";
import { placeOf } from "khojd-common/place";

import type { Owner, Settings } from "./settings";

/** Where khojd is. Each line of the command is an argument; a single line is a program alone. */
export function placed(settings: Settings): Place {
  const command = settings.command.split("\n").map((part) => part.trim());
  return placeOf({ command, config: settings.config, index: settings.index, socket: settings.socket });
}

type Of<T> = { [K in keyof Settings]: Settings[K] extends T ? K : never }[keyof Settings];

interface Row {
  name: string;
  desc: string;
  /** Adds to a row, which has its name and description, what is set in it. */
  render: (row: Setting) => void;
  visible?: () => boolean;
}

/** Rows under a heading; the first ones have none. */
interface Section {
  heading?: string;
  rows: Row[];
}

/** The page of settings. Obsidian since 1.13 is told what is in it, and finds that by its words; for older ones it is drawn. */
export class SettingsPage extends PluginSettingTab {
  private moved = false;

  constructor(
    app: App,
    private readonly owner: Owner,
  ) {
    super(app, owner);
  }

  override getSettingDefinitions(): SettingDefinitionItem[] {
    return this.sections().flatMap(({ heading, rows }): SettingDefinitionItem[] => {
      return heading === undefined ? rows : [{ type: "group", heading, items: rows }];
    });
  }

  override display(): void {
    this.containerEl.empty();
    for (const { heading, rows } of this.sections()) {
      if (heading !== undefined) new Setting(this.containerEl).setName(heading).setHeading();
      for (const { name, desc, render, visible } of rows) {
        if (visible?.() !== false) render(new Setting(this.containerEl).setName(name).setDesc(desc));
      }
    }
  }

  /** Closing the page puts a changed place in force, not each letter of it. */
  override hide(): void {
    if (this.moved) void this.owner.keep(true);
    this.moved = false;
    super.hide();
  }

  private sections(): Section[] {
    const delay = "Milliseconds without a key before the search begins; the first key after a rest does not wait.";
    const command = "The program that is khojd, with a line for each further argument. It is never installed by this plugin.";
    const general = [
      this.flag("atStart", "Connect at start", "Connect to khojd as soon as the vault is open. Otherwise it is started when something is first asked."),
      this.flag("unsaved", "Search unsaved text", "Tell khojd what you type before it is saved, for notes in its folders."),
    ];
    const search = [
      this.number("delay", "Delay", delay, 0, 2000),
      this.number("limit", "Results", "How many results are asked for.", 1, 200),
      this.flag("preview", "Preview", "Show the section of the selected result."),
      this.flag("follow", "Follow the cursor", "Have the list of similar notes follow the cursor when it is opened."),
    ];
    const chat = [
      this.text("persona", "Persona", "Who answers in new conversations. Empty for the configured one."),
      this.text("model", "Model", "The model that answers, as provider/model. Empty for the persona's own."),
    ];
    const connection = [
      { name: "Command", desc: command, render: (row: Setting) => { this.command(row); } },
      this.text("config", "Configuration file", "Empty for khojd's own place.", true),
      this.text("index", "Index directory", "Empty for khojd's own place.", true),
      this.text("socket", "Socket", "A socket that is tried first. Empty to have it found.", true),
      this.vault(),
    ];
    return [{ rows: general }, { heading: "Search", rows: search }, { heading: "Chat", rows: chat }, { heading: "Connection", rows: connection }];
  }

  private flag(key: Of<boolean>, name: string, desc: string): Row {
    const render = (row: Setting) => {
      row.addToggle((toggle) => toggle.setValue(this.owner.settings[key]).onChange((value) => { this.set(key, value); }));
    };
    return { name, desc, render };
  }

  private text(key: Of<string>, name: string, desc: string, moves = false): Row {
    const render = (row: Setting) => {
      row.addText((text) => text.setValue(this.owner.settings[key]).onChange((value) => {
        this.moved ||= moves;
        this.set(key, value.trim());
      }));
    };
    return { name, desc, render };
  }

  private command(row: Setting): void {
    row.addTextArea((text) => text.setValue(this.owner.settings.command).onChange((value) => {
      this.moved = true;
      this.set("command", value);
    }));
  }

  private number(key: Of<number>, name: string, about: string, least: number, most: number): Row {
    const render = (row: Setting) => {
      row.addText((text) => text.setValue(String(this.owner.settings[key])).onChange((value) => {
        const number = Number(value);
        const fits = value.trim() !== "" && Number.isInteger(number) && number >= least && number <= most;
        text.inputEl.toggleClass("khoj-wrong", !fits);
        if (fits) this.set(key, number);
      }));
    };
    return { name, desc: `${about} From ${least} to ${most}.`, render };
  }

  private vault(): Row {
    const render = (row: Setting) => {
      row.addButton((button) => button.setButtonText("Ask again").onClick(() => {
        row.settingEl.remove();
        this.owner.settings.declined = false;
        void this.owner.keep(true);
      }));
    };
    return { name: "This vault", desc: "You have said that this vault is not to be indexed.", render, visible: () => this.owner.settings.declined };
  }

  private set<K extends keyof Settings>(key: K, value: Settings[K]): void {
    this.owner.settings[key] = value;
    void this.owner.keep(false);
  }
}
