// What Obsidian loads. All that a phone lacks is loaded behind a look at where it runs.
import { Notice, Platform, Plugin } from "obsidian";

import type { Khoj } from "./khoj";
import { DEFAULTS, restored, type Settings } from "./settings";

export default class KhojPlugin extends Plugin {
  declare settings: Settings;
  private khoj: Khoj | undefined;

  override async onload(): Promise<void> {
    this.settings = DEFAULTS;
    if (!Platform.isDesktopApp) {
      new Notice("Khoj works in Obsidian on a computer only, where khojd runs. It does nothing here.");
      return;
    }
    this.settings = restored(await this.loadData());
    const { Khoj } = await import("./khoj");
    this.khoj = await Khoj.begin(this);
  }

  override onunload(): void {
    this.khoj?.leave();
    this.khoj = undefined;
  }

  /** Store the settings; `reconnect` when they say that khojd is elsewhere. */
  async keep(reconnect: boolean): Promise<void> {
    await this.saveData(this.settings);
    this.khoj?.follow();
    if (reconnect && this.khoj !== undefined) this.khoj.attempt(this.khoj.reconnect());
  }
}
