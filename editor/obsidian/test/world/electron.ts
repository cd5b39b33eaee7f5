// The part of Electron that the plugin uses.

/** The files that the system was asked to open. */
export const opened: string[] = [];

export const shell = {
  openPath(path: string): Promise<string> {
    opened.push(path);
    return Promise.resolve("");
  },
};
