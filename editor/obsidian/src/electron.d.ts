// What is used of Electron, whose own types are many times the size of this plugin.
declare module "electron" {
  export const shell: {
    /** Has the system open a file; the promise is of why it did not, or empty. */
    openPath(path: string): Promise<string>;
  };
}
